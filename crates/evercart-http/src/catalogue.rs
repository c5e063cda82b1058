//! `/products` and `/categories`: what a market sells. Public.

use axum::extract::Request;
use evercart_core::catalogue::{Category, Product, ProductQuery, Sku};
use evercart_core::ids::ProductId;
use evercart_core::money::Currency;
use evercart_core::order::{Listed, Page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{PathId, Visitor};
use crate::json::{Amount, Audience, tagged};
use crate::openapi::{Missing, Paging, PublicHeaders, PublicRead, WrongQuery, examples};
use crate::problem::Answer;
use crate::query;

/// The most characters of a search or a category's name.
const SEARCH_MAX: usize = 100;

/// A stock of at most so many pieces is called low.
const LOW_STOCK: i64 = 5;

/// A product as a list shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Product, example = examples::product)]
struct ProductJson<'a> {
    #[schema(example = 15)]
    id: i64,
    name: &'a str,
    #[schema(required = true)]
    brand: Option<&'a str>,
    #[schema(required = true)]
    category: Option<&'a str>,
    #[schema(required = true)]
    description: Option<&'a str>,
    #[schema(required = true)]
    image: Option<&'a str>,
    /// The lowest price among its SKUs for sale.
    price: Amount,
    /// That SKU's price before a reduction.
    #[schema(required = true)]
    original_price: Option<Amount>,
    /// What all amounts are in, ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// At least one of its SKUs is for sale and in stock.
    available: bool,
}

impl<'a> ProductJson<'a> {
    fn of(product: &'a Product, currency: Currency) -> Self {
        Self {
            id: product.id.0,
            name: &product.name,
            brand: product.brand.as_deref(),
            category: product.category.as_deref(),
            description: product.description.as_deref(),
            image: product.image.as_deref(),
            price: Amount(product.price, currency),
            original_price: product.original_price.map(|price| Amount(price, currency)),
            currency: currency.code(),
            available: product.available,
        }
    }
}

/// Some of the products for sale.
#[derive(Serialize, ToSchema)]
pub(crate) struct Products<'a> {
    products: Vec<ProductJson<'a>>,
    /// How many match in all.
    #[schema(example = 36)]
    total: u64,
    /// True if there are more after these.
    has_more: bool,
}

impl<'a> Products<'a> {
    pub(crate) fn of(listed: &'a Listed<Product>, page: Page, currency: Currency) -> Self {
        Self {
            products: listed.items.iter().map(|item| ProductJson::of(item, currency)).collect(),
            total: listed.total,
            has_more: query::has_more(page, listed.items.len(), listed.total),
        }
    }
}

/// A product with what can be bought of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProductPage<'a> {
    #[serde(flatten)]
    product: ProductJson<'a>,
    skus: Vec<SkuJson<'a>>,
}

impl<'a> ProductPage<'a> {
    pub(crate) fn of(product: &'a Product, skus: &'a [Sku], currency: Currency) -> Self {
        Self {
            product: ProductJson::of(product, currency),
            skus: skus.iter().map(|sku| SkuJson::of(sku, currency)).collect(),
        }
    }
}

/// What can be bought: one size and colour of a product.
#[derive(Serialize, ToSchema)]
#[schema(as = Sku, example = examples::sku)]
struct SkuJson<'a> {
    /// The `sku_id` for the cart.
    #[schema(example = 42)]
    id: i64,
    /// The shop's own code.
    sku_code: &'a str,
    #[schema(required = true)]
    size: Option<&'a str>,
    #[schema(required = true)]
    color: Option<&'a str>,
    /// What one piece costs.
    price: Amount,
    /// What one piece cost before a reduction.
    #[schema(required = true)]
    original_price: Option<Amount>,
    /// `in_stock`, `low_stock` (at most 5 pieces) or `out_of_stock`.
    #[schema(example = "in_stock")]
    stock_status: &'static str,
    #[schema(required = true)]
    image: Option<&'a str>,
}

impl<'a> SkuJson<'a> {
    fn of(sku: &'a Sku, currency: Currency) -> Self {
        let facts = &sku.facts;
        Self {
            id: facts.sku_id.0,
            sku_code: &facts.sku_code,
            size: facts.size.as_deref(),
            color: facts.color.as_deref(),
            price: Amount(facts.price, currency),
            original_price: facts.original_price.map(|price| Amount(price, currency)),
            stock_status: match sku.on_hand {
                ..=0 => "out_of_stock",
                1..=LOW_STOCK => "low_stock",
                _ => "in_stock",
            },
            image: facts.image.as_deref(),
        }
    }
}

/// The categories that have products for sale.
#[derive(Serialize, ToSchema)]
pub(crate) struct Categories<'a> {
    /// By name.
    categories: Vec<CategoryJson<'a>>,
}

impl<'a> Categories<'a> {
    pub(crate) fn of(categories: &'a [Category]) -> Self {
        let of = |category: &'a Category| CategoryJson {
            name: &category.name,
            products: category.products,
        };
        Self { categories: categories.iter().map(of).collect() }
    }
}

/// A category.
#[derive(Serialize, ToSchema)]
#[schema(as = Category)]
struct CategoryJson<'a> {
    /// For `?category=`.
    #[schema(example = "Shirts")]
    name: &'a str,
    /// How many products for sale are in it.
    #[schema(example = 6)]
    products: u64,
}

/// Products
///
/// Those for sale in the market, in the order of their ids.
#[utoipa::path(get, path = "/products", tag = "Catalogue",
    params(PublicHeaders, Paging,
        ("search" = Option<String>, Query,
         description = "Words that words in name, brand, category or description begin with. What \
                        comes after eight words, or after 32 characters of one, is passed over",
         example = "shirt"),
        ("category" = Option<String>, Query, description = "Only this category")),
    responses((status = 200, description = "A page of products", body = Products,
               headers(("ETag" = String, description = "A digest of the answer"))),
              (status = 304, description = "The page is as the client has it"),
              PublicRead, WrongQuery))]
pub(crate) async fn list_products(visitor: Visitor, request: Request) -> Answer {
    let (wanted, page) = query::parse(request.uri(), |query| {
        let search = query.text("search", SEARCH_MAX);
        let category = query.text("category", SEARCH_MAX);
        (ProductQuery { search, category }, query.page())
    })?;
    let listed = visitor.store().products(wanted, page).await?;
    let json = Products::of(&listed, page, visitor.currency());
    Ok(tagged(Audience::Public, None, &json, Some(request.headers())))
}

/// One product with its SKUs
#[utoipa::path(get, path = "/products/{id}", tag = "Catalogue",
    params(PublicHeaders, ("id" = i64, Path, description = "A product's id", example = 15)),
    responses((status = 200, description = "The product", body = ProductPage,
               headers(("ETag" = String, description = "A digest of the answer"))),
              (status = 304, description = "The product is as the client has it"),
              PublicRead, Missing))]
pub(crate) async fn get_product(visitor: Visitor, PathId(id): PathId, request: Request) -> Answer {
    let (product, skus) = visitor.store().product(ProductId(id)).await?;
    let json = ProductPage::of(&product, &skus, visitor.currency());
    Ok(tagged(Audience::Public, None, &json, Some(request.headers())))
}

/// Categories
#[utoipa::path(get, path = "/categories", tag = "Catalogue", params(PublicHeaders),
    responses((status = 200, description = "The categories", body = Categories,
               headers(("ETag" = String, description = "A digest of the answer"))),
              (status = 304, description = "They are as the client has them"), PublicRead))]
pub(crate) async fn list_categories(visitor: Visitor, request: Request) -> Answer {
    let categories = visitor.store().categories().await?;
    let json = Categories::of(&categories);
    Ok(tagged(Audience::Public, None, &json, Some(request.headers())))
}
