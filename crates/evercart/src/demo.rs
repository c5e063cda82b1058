//! The demo shop: its catalogue, its pictures, and the customer of the guide's walk-through. All of
//! it is embedded in the program.

use std::path::Path;

use anyhow::Context;
use evercart_core::catalogue::ImportOutcome;
use evercart_core::code::Code;
use evercart_core::error::{Refused, StoreError};
use evercart_core::ids::UserId;
use evercart_core::market::Market;
use evercart_core::phone::Phone;
use evercart_http::TestPhone;
use include_dir::{Dir, include_dir};

use crate::catalogue_file::CatalogueFile;
use crate::failure::Failure;
use crate::stores::{Opened, failed};

/// Catalogues (`us.csv`) and pictures.
static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/demo");

/// The guide's customer, and the market they are in.
const GUIDE_USER: UserId = UserId(19);
const GUIDE_MARKET: &str = "us";
const GUIDE_PHONE: &str = "+13128059851";

/// The codes the guide's customer signs in with.
const GUIDE_CODES: [&str; 2] = ["123456", "654321"];

/// A picture by its name under `/demo/images/`.
pub fn picture(name: &str) -> Option<&'static [u8]> {
    FILES.get_file(format!("images/{name}")).map(include_dir::File::contents)
}

/// The guide's phone with its codes, which are good as long as there are demos.
pub fn test_phone() -> TestPhone {
    let codes = GUIDE_CODES.into_iter().filter_map(Code::parse).collect();
    TestPhone { phone: Phone::from_stored(GUIDE_PHONE.to_owned()), codes, until: None }
}

/// Makes a store a demo and fills it, unless it is one already. Several servers may do so at once.
///
/// # Errors
/// The store holds a real shop, or the demo cannot be loaded.
pub async fn prepare(store: &dyn Opened, market: &Market) -> anyhow::Result<()> {
    let is_demo = store.is_demo().await.map_err(failed)?
        || store.become_demo().await.map_err(failed)?
        // Another server may have made it one in between.
        || store.is_demo().await.map_err(failed)?;
    if !is_demo {
        return Err(Failure::new(format!(
            "{} holds a real shop (market {}), which --demo must not touch",
            store.place(),
            market.name
        ))
        .hint("choose another place for the demo, such as --data ./evercart-demo")
        .into());
    }
    // Each step looks for itself whether it is needed: a first start may have been cut short.
    load_catalogue(store, market).await?;
    if market.name.as_str() == GUIDE_MARKET {
        create_guide_user(store).await?;
    }
    Ok(())
}

async fn load_catalogue(store: &dyn Opened, market: &Market) -> anyhow::Result<()> {
    let name = format!("{}.csv", market.name);
    let Some(file) = FILES.get_file(&name) else { return Ok(()) };
    if store.has_products().await.map_err(failed)? {
        return Ok(());
    }
    let file = CatalogueFile::of(file.contents(), Path::new(&name), market.currency)
        .context("the embedded demo catalogue does not fit this market")?;
    match store.change_catalogue(Box::new(file.rows), Box::new(|_| {})).await.map_err(failed)? {
        ImportOutcome::Imported(_) => Ok(()),
        ImportOutcome::Rejected(problems) => {
            let first = problems.first().map(|problem| problem.problem.clone());
            Err(Failure::new("the embedded demo catalogue was rejected"))
                .context(first.unwrap_or_default())
        }
    }
}

async fn create_guide_user(store: &dyn Opened) -> anyhow::Result<()> {
    let phone = Phone::from_stored(GUIDE_PHONE.to_owned());
    let is_there = || store.find_user(phone.clone());
    match is_there().await {
        Ok(_) => return Ok(()),
        Err(StoreError::Refused(Refused::NotFound { .. })) => {}
        Err(error) => return Err(failed(error)),
    }
    match store.create_demo_user(GUIDE_USER, phone.clone()).await {
        Ok(()) => Ok(()),
        // Another server may have been quicker.
        Err(error) => is_there().await.map(drop).map_err(|_| failed(error)),
    }
}

/// What a developer wants to know first, for standard error.
pub fn welcome(url: &str) -> String {
    let [code, other] = GUIDE_CODES;
    let body = format!(r#"{{"phone": "{GUIDE_PHONE}", "verification_code": "{code}"}}"#);
    format!(
        "
This is a demo: sample products, invented customers, codes shown in the answers.

  Shop      {url}/shop
  API docs  {url}/docs
  Sign in   {GUIDE_PHONE} with code {code} or {other}
  Try it    curl -X POST {url}/auth/verify-code \\
              -H 'Content-Type: application/json' -d '{body}'

"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use evercart_core::catalogue::{ProductKey, RowChange, RowChanges as _, StockChange};
    use evercart_core::ids::{ProductId, SkuId};

    fn rows(name: &str, currency: &str) -> Vec<RowChange> {
        let content = FILES.get_file(name).expect("embedded").contents();
        let currency = currency.parse().expect("a currency");
        let mut file = CatalogueFile::of(content, Path::new(name), currency)
            .expect("the demo catalogue is sound");
        file.rows.rewind().and_then(|()| file.rows.next(usize::MAX)).expect("it is in memory")
    }

    #[test]
    fn the_guides_product_is_there_in_both_markets() {
        for (name, currency) in [("us.csv", "USD"), ("kg.csv", "KGS")] {
            let rows = rows(name, currency);
            let guide = rows.iter().find(|row| row.sku_id == Some(SkuId(42))).expect("SKU 42");
            assert_eq!(guide.product, Some(ProductKey::Id(ProductId(15), None)));
            let plenty = |stock| matches!(stock, StockChange::To(pieces) if pieces >= 1000);
            assert!(guide.active != Some(false) && guide.stock.is_some_and(plenty));
        }
    }

    #[test]
    fn every_picture_of_the_catalogue_is_embedded() {
        for row in rows("us.csv", "USD").iter().chain(&rows("kg.csv", "KGS")) {
            let path = row.image.iter().flatten().next().expect("a picture");
            let name = path.strip_prefix("/demo/images/").expect("one of ours");
            assert!(picture(name).is_some(), "{path}");
        }
        assert!(picture("../us.csv").is_none() && picture("").is_none());
    }

    #[test]
    fn the_guides_phone_and_codes_are_real() {
        let TestPhone { phone, codes, .. } = test_phone();
        assert_eq!(Phone::parse(GUIDE_PHONE, None), Ok(phone));
        assert_eq!(codes.len(), GUIDE_CODES.len());
    }
}
