//! The shop's page as a crawler, a preview of a link and the first paint need it: with title,
//! description, what it shows, and the answers of the API that the scripts would ask for first.

use axum::http::{HeaderMap, header};
use evercart_core::catalogue::{Product, ProductQuery, Sku};
use evercart_core::ids::ProductId;
use evercart_core::order::Page;
use serde::Serialize;
use serde_json::{Value, json};

use crate::catalogue::{Categories, ProductPage, Products};
use crate::header_list;
use crate::html::escaped;
use crate::json::Amount;
use crate::{Shop, ShopMarket};

/// What stands in the built page around its title, and in its empty content.
const HEAD: [&str; 2] = ["<!--head-->", "<!--/head-->"];
const CONTENT: &str = "<!--content-->";

/// As many products as the start page first asks for.
const FIRST: Page = Page { limit: 24, offset: 0 };

/// How many of them a screen shows at first: their pictures do not wait to be scrolled to.
const SEEN_FIRST: usize = 4;

/// The most characters of a description in results and previews.
const DESCRIPTION_MAX: usize = 200;

/// What the start page says above its products, in each of the pages' languages.
const WELCOMES: [(&str, &str, &str); 3] = [
    (
        "en",
        "Things worth keeping.",
        "A demo shop whose cart never forgets: close the tab, lose the network, change the device.",
    ),
    (
        "ru",
        "Вещи надолго.",
        "Демонстрационный магазин, корзина которого ничего не забывает: закройте вкладку, \
         потеряйте сеть, смените устройство.",
    ),
    (
        "ky",
        "Көпкө жарай турган буюмдар.",
        "Себети эч нерсени унутпаган көрсөтмө дүкөн: өтмөктү жабыңыз, тармак үзүлсүн, түзмөктү \
         алмаштырыңыз.",
    ),
];

/// Which of the shop's pages is asked for.
pub(super) struct Wanted<'a> {
    pub(super) origin: &'a str,
    /// Below `/shop`, without slashes around it.
    pub(super) path: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a HeaderMap,
}

/// A page to be sent.
pub(super) struct FilledPage {
    pub(super) html: String,
    /// It is a product's, and the product is there.
    pub(super) shows_product: bool,
}

/// What a page has of its own.
#[derive(Default)]
struct Filled {
    head: String,
    content: String,
    answers: Vec<(String, String)>,
    shows_product: bool,
}

impl Wanted<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| &**value)
    }

    /// The market that the address names.
    pub(super) fn named_market(&self, shop: &Shop) -> Option<usize> {
        shop.market(self.parameter("market")?)
    }

    /// The market the page is about: the one its address names, else the visitor's country's or
    /// language's, else the shop's default. The scripts take the visitor's own choice before it.
    fn market<'s>(&self, shop: &'s Shop) -> &'s ShopMarket {
        let tags = header_list::weighted(self.headers, &header::ACCEPT_LANGUAGE);
        let spoken = || {
            tags.iter().find_map(|tag| {
                let (language, region) = tag.split_once('-').unwrap_or((tag, ""));
                shop.market(region).or_else(|| {
                    let of = |at: &ShopMarket| at.market.language().eq_ignore_ascii_case(language);
                    shop.markets.iter().position(of)
                })
            })
        };
        let default = || shop.default_market.as_ref().and_then(|name| shop.market(name.as_str()));
        &shop.markets[self.named_market(shop).or_else(spoken).or_else(default).unwrap_or(0)]
    }

    /// The address that stands for all that show the same; a shop with several markets names the
    /// market, whose products and prices are its own.
    fn canonical(&self, shop: &Shop, at: &ShopMarket, path: &str) -> String {
        let address = format!("{}/shop/{path}", self.origin);
        with_market(&address, shop, at)
    }
}

/// `address`, with the market if the shop has several.
pub(super) fn with_market(address: &str, shop: &Shop, at: &ShopMarket) -> String {
    if shop.markets.len() == 1 {
        return address.to_owned();
    }
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}market={}", at.market.name.as_str())
}

/// Fills the built page. A store that does not answer leaves the page to its scripts, which say so.
pub(super) async fn filled(built: &str, shop: &Shop, wanted: &Wanted<'_>) -> FilledPage {
    let at = wanted.market(shop);
    let path = wanted.path;
    let page = match (path, path.strip_prefix("product/").map(str::parse)) {
        ("", _) => start(shop, at, wanted).await,
        (_, Some(Ok(id))) => product(shop, at, wanted, ProductId(id)).await,
        _ => other(path, wanted.headers),
    };
    let shows_product = page.shows_product;
    let html = page.written_into(built, at).unwrap_or_else(|| built.to_owned());
    FilledPage { html, shows_product }
}

/// The answers, for the scripts to read.
fn first_answers(at: &ShopMarket, answers: &[(String, String)]) -> String {
    let market = at.market.name.as_str();
    let answers: Vec<_> = answers
        .iter()
        .map(|(path, json)| format!("{}:{json}", serde_json::to_string(path).expect("a string")))
        .collect();
    let block = format!("{{\"market\":\"{market}\",\"answers\":{{{}}}}}", answers.join(","));
    format!("<script type=\"application/json\" id=\"first\">{}</script>\n", in_script(&block))
}

/// JSON that cannot end the element that it stands in.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our own types are always JSON")
}

fn named(title: &str) -> Filled {
    let title = match title {
        "" => "Evercart".to_owned(),
        title => format!("{} · Evercart", escaped(title)),
    };
    Filled { head: format!("<title>{title}</title>\n"), ..Filled::default() }
}

impl Filled {
    /// The built page with this in it; `None` if it lacks the places.
    fn written_into(&self, built: &str, at: &ShopMarket) -> Option<String> {
        let Self { head, content, answers, .. } = self;
        let [before, after] = HEAD;
        let (start, rest) = built.split_once(before)?;
        let (_, rest) = rest.split_once(after)?;
        let (shell, rest) = rest.split_once(CONTENT)?;
        let (rest, end) = rest.split_once("</body>")?;
        let first = first_answers(at, answers);
        Some(format!("{start}{head}{shell}{content}{rest}{first}</body>{end}"))
    }

    fn meta(&mut self, name: &str, content: &str) {
        // OpenGraph's names are properties; all others are names.
        let kind = if name.contains(':') { "property" } else { "name" };
        let content = escaped(content);
        self.head.push_str(&format!("<meta {kind}=\"{name}\" content=\"{content}\">\n"));
    }

    fn about(&mut self, kind: &str, title: &str, description: &str, canonical: &str) {
        self.meta("description", description);
        self.head.push_str(&format!("<link rel=\"canonical\" href=\"{}\">\n", escaped(canonical)));
        self.meta("og:site_name", "Evercart");
        self.meta("og:type", kind);
        self.meta("og:title", title);
        self.meta("og:description", description);
        self.meta("og:url", canonical);
    }

    fn linked_data(&mut self, data: &Value) {
        let data = in_script(&data.to_string());
        self.head.push_str(&format!("<script type=\"application/ld+json\">{data}</script>\n"));
    }
}

/// A page that shows a visitor's own things, of which there are none in it yet.
fn other(path: &str, headers: &HeaderMap) -> Filled {
    let mut page = named("");
    page.meta("description", welcome(headers).2);
    // An empty cart and its checkout tell anybody what they are; the rest is nothing to be found.
    if !matches!(path, "cart" | "checkout") {
        page.meta("robots", "noindex");
    }
    page
}

/// The start page, a category, or what a search found.
async fn start(shop: &Shop, at: &ShopMarket, wanted: &Wanted<'_>) -> Filled {
    let search = wanted.parameter("q").map(str::to_owned);
    let category = wanted.parameter("category").map(str::to_owned);
    let title = category.as_deref().filter(|_| search.is_none());
    let mut page = named(title.unwrap_or_default());
    let (language, welcome, text) = welcome(wanted.headers);
    if search.is_some() {
        page.meta("description", text);
        page.meta("robots", "noindex");
        return page;
    }
    let path = match &category {
        Some(name) => format!("?category={}", in_query(name)),
        None => String::new(),
    };
    let canonical = wanted.canonical(shop, at, &path);
    page.about("website", title.unwrap_or("Evercart"), text, &canonical);
    let query = ProductQuery { search: None, category: category.clone() };
    let (Ok(listed), Ok(categories)) =
        tokio::join!(at.store.products(query, FIRST), at.store.categories())
    else {
        return page;
    };
    if category.is_some() && listed.total == 0 {
        page.meta("robots", "noindex");
    }
    let heading = match title {
        Some(title) => format!("<h1>{}</h1>\n", escaped(title)),
        None => format!(
            "<section class=\"hero\" lang=\"{language}\"><h1>{welcome}</h1><p>{text}</p>\
             </section>\n"
        ),
    };
    let chips: Vec<_> = categories
        .iter()
        .map(|one| {
            let address = format!("/shop/?category={}", in_query(&one.name));
            let address = with_market(&address, shop, at);
            format!("<a href=\"{}\">{}</a>\n", escaped(&address), escaped(&one.name))
        })
        .collect();
    let chips = format!("<nav class=\"chips\">\n{}</nav>\n", chips.concat());
    let cards: Vec<_> = listed
        .items
        .iter()
        .enumerate()
        .map(|(place, one)| card(shop, at, one, place >= SEEN_FIRST))
        .collect();
    page.content = match title {
        Some(_) => format!("{chips}{heading}"),
        None => format!("{heading}{chips}"),
    };
    page.content.push_str(&format!("<ul class=\"grid\">\n{}</ul>\n", cards.concat()));
    let currency = at.market.currency;
    page.answers = vec![
        (list_path(category.as_deref()), to_json(&Products::of(&listed, FIRST, currency))),
        ("/categories".into(), to_json(&Categories::of(&categories))),
    ];
    page
}

/// What the scripts call the first products of a category or of all.
fn list_path(category: Option<&str>) -> String {
    match category {
        Some(name) => format!("/products?category={name}"),
        None => "/products".into(),
    }
}

fn in_query(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn welcome(headers: &HeaderMap) -> (&'static str, &'static str, &'static str) {
    let tags = header_list::weighted(headers, &header::ACCEPT_LANGUAGE);
    let spoken = |tag: &&str| {
        let language = tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
        WELCOMES.into_iter().find(|(has, ..)| *has == language)
    };
    tags.iter().find_map(spoken).unwrap_or(WELCOMES[0])
}

fn card(shop: &Shop, at: &ShopMarket, product: &Product, is_lazy: bool) -> String {
    let address = with_market(&format!("/shop/product/{}", product.id.0), shop, at);
    let brand = product.brand.as_deref().map(|brand| format!("<small>{}</small>", escaped(brand)));
    format!(
        "<li class=\"card\"><a href=\"{}\">{}{}<span class=\"name\">{}</span>\
         <span class=\"price\">{}</span></a></li>\n",
        escaped(&address),
        picture(product.image.as_deref(), "", is_lazy),
        brand.unwrap_or_default(),
        escaped(&product.name),
        price(product, at),
    )
}

fn price(product: &Product, at: &ShopMarket) -> String {
    let currency = at.market.currency;
    format!("{} {}", to_json(&Amount(product.price, currency)), currency.code())
}

fn picture(image: Option<&str>, alt: &str, is_lazy: bool) -> String {
    let Some(image) = image else { return "<span class=\"picture none\"></span>".into() };
    let loading = if is_lazy { "loading=\"lazy\"" } else { "fetchpriority=\"high\"" };
    format!(
        "<img class=\"picture\" src=\"{}\" alt=\"{}\" width=\"600\" height=\"750\" {loading}>",
        escaped(image),
        escaped(alt)
    )
}

/// A product's page.
async fn product(shop: &Shop, at: &ShopMarket, wanted: &Wanted<'_>, id: ProductId) -> Filled {
    let Ok((product, skus)) = at.store.product(id).await else {
        return other(wanted.path, wanted.headers);
    };
    let mut page = named(&product.name);
    let canonical = wanted.canonical(shop, at, &format!("product/{}", id.0));
    let description = shortened(product.description.as_deref().unwrap_or(&product.name));
    page.about("product", &product.name, &description, &canonical);
    if let Some(image) = &product.image {
        page.meta("og:image", &whole(image, wanted.origin));
    }
    page.meta("product:price:amount", &to_json(&Amount(product.price, at.market.currency)));
    page.meta("product:price:currency", at.market.currency.code());
    page.linked_data(&product_data(&product, &skus, at, wanted.origin, &canonical));
    if let Some(category) = &product.category {
        let of = |path: &str| wanted.canonical(shop, at, path);
        let trail = [
            ("Evercart", of("")),
            (category, of(&format!("?category={}", in_query(category)))),
            (&product.name, canonical.clone()),
        ];
        page.linked_data(&trail_data(&trail));
    }
    let text = |class: &str, text: Option<&str>| {
        text.map(|text| format!("<p class=\"{class}\">{}</p>", escaped(text))).unwrap_or_default()
    };
    page.content = format!(
        "<article class=\"product\">{}<div>{}<h1>{}</h1><span class=\"price\">{}</span>{}</div>\
         </article>\n",
        picture(product.image.as_deref(), &product.name, false),
        text("brand", product.brand.as_deref()),
        escaped(&product.name),
        price(&product, at),
        text("description", product.description.as_deref()),
    );
    let json = to_json(&ProductPage::of(&product, &skus, at.market.currency));
    page.answers = vec![(format!("/products/{}", id.0), json)];
    page.shows_product = true;
    page
}

/// At most as much of a description as results show, ending with a word.
fn shortened(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(DESCRIPTION_MAX) else { return text.to_owned() };
    let start = &text[..end];
    let end = start.rfind(char::is_whitespace).unwrap_or(end);
    format!("{}…", start[..end].trim_end())
}

/// A picture's address with its origin: those of the demo are paths.
fn whole(address: &str, origin: &str) -> String {
    if address.starts_with('/') { format!("{origin}{address}") } else { address.to_owned() }
}

/// <https://schema.org/Product>, with an offer for each SKU.
fn product_data(
    product: &Product,
    skus: &[Sku],
    at: &ShopMarket,
    origin: &str,
    canonical: &str,
) -> Value {
    let currency = at.market.currency;
    let mut images: Vec<_> = product.image.iter().collect();
    images.extend(skus.iter().filter_map(|sku| sku.facts.image.as_ref()));
    let mut seen = std::collections::HashSet::new();
    images.retain(|image| seen.insert(*image));
    let images: Vec<_> = images.into_iter().map(|image| whole(image, origin)).collect();
    let offers = skus.iter().map(|sku| {
        let stock = if sku.on_hand > 0 { "InStock" } else { "OutOfStock" };
        json!({
            "@type": "Offer",
            "sku": &*sku.facts.sku_code,
            "price": sku.facts.price.to_decimal(currency).to_string(),
            "priceCurrency": currency.code(),
            "availability": format!("https://schema.org/{stock}"),
            "url": canonical,
        })
    });
    let mut data = json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.name,
        "image": images,
        "offers": offers.collect::<Vec<_>>(),
    });
    if let Some(description) = &product.description {
        data["description"] = json!(description);
    }
    if let Some(brand) = &product.brand {
        data["brand"] = json!({ "@type": "Brand", "name": brand });
    }
    data
}

/// <https://schema.org/BreadcrumbList>
fn trail_data(trail: &[(&str, String)]) -> Value {
    let items = trail.iter().enumerate().map(|(at, (name, address))| {
        json!({ "@type": "ListItem", "position": at + 1, "name": name, "item": address })
    });
    json!({
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": items.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_ends_with_a_word() {
        assert_eq!(shortened("Soft cotton."), "Soft cotton.");
        let long = "мягкий хлопок ".repeat(30);
        let short = shortened(&long);
        assert!(short.ends_with("мягкий…") || short.ends_with("хлопок…"), "{short}");
        assert!(short.chars().count() <= DESCRIPTION_MAX + 1);
        assert_eq!(shortened(&"x".repeat(300)).chars().count(), DESCRIPTION_MAX + 1);
    }

    #[test]
    fn what_stands_in_a_script_cannot_end_it() {
        assert_eq!(in_script(r#""</script><b>""#), r#""\u003c/script>\u003cb>""#);
    }
}
