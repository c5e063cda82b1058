//! Headers that list things, some with weights (RFC 9110 sections 5.6.1 and 12.4.2).

use axum::http::{HeaderMap, HeaderName};

/// The most elements looked at. Browsers send a handful.
const ELEMENTS_MAX: usize = 16;

/// What a header lists, the most wanted first, without what it refuses by a weight of 0. A repeated
/// header is one list; of two with the same weight the first is wanted more.
pub(crate) fn weighted<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let elements = values.flat_map(|value| value.split(',')).take(ELEMENTS_MAX);
    let mut wanted: Vec<_> = elements.filter_map(element).filter(|(_, q)| *q > 0).collect();
    wanted.sort_by_key(|(_, thousandths)| std::cmp::Reverse(*thousandths));
    wanted.into_iter().map(|(element, _)| element).collect()
}

/// An element and its weight in thousandths. A weight that is none refuses the element.
fn element(text: &str) -> Option<(&str, u32)> {
    let mut parts = text.split(';').map(str::trim);
    let element = parts.next().filter(|element| !element.is_empty())?;
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim_end().eq_ignore_ascii_case("q").then(|| value.trim_start())
    });
    Some((element, weight.map_or(1000, |weight| thousandths(weight).unwrap_or(0))))
}

/// `0`, `1`, or either with up to three decimals.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    if !digits || !["0", "1"].contains(&whole) {
        return None;
    }
    let thousandths = format!("{whole}{decimals:0<3}").parse().ok()?;
    Some(thousandths).filter(|thousandths| *thousandths <= 1000)
}

#[cfg(test)]
mod tests {
    use axum::http::header::ACCEPT_LANGUAGE;

    use super::*;

    fn list(values: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_LANGUAGE, value.parse().expect("a value"));
        }
        weighted(&headers, &ACCEPT_LANGUAGE).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn spaces_around_a_weight_are_optional() {
        for value in ["ru; q=0.9", "ru;q=0.9", "ru ;\tQ=0.9", "ru; q=0.9,", " ru ; q=0.900 "] {
            assert_eq!(list(&[value]), ["ru"], "{value}");
        }
        assert_eq!(list(&["en; q=0.5, ru; q=0.9, ky;q=0.7"]), ["ru", "ky", "en"]);
    }

    #[test]
    fn a_repeated_header_is_one_list_and_order_breaks_ties() {
        assert_eq!(list(&["en;q=0.1", "ru, ky"]), ["ru", "ky", "en"]);
    }

    #[test]
    fn nought_and_what_is_no_weight_refuse() {
        for value in
            ["ru;q=0", "ru; q=0.000", "ru;q=2", "ru;q=-1", "ru;q=0.1234", "ru;q=x", "", ";q=1"]
        {
            assert!(list(&[value]).is_empty(), "{value}");
        }
        assert_eq!(list(&["ru;q=1.0;level=1", "en;q=0.999"]), ["ru", "en"]);
        assert_eq!(list(&[&"x,".repeat(40)]).len(), ELEMENTS_MAX);
    }
}
