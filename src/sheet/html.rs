//! A page as one HTML file that needs no other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cell::Tone;
use super::page::{Page, PageError};

const STYLE: &str = "body{font:14px/1.35 system-ui,sans-serif;background:#fafafa;color:#141414;margin:16px}\
    main{display:grid;gap:16px;grid-template-columns:repeat(var(--columns),minmax(0,1fr))}\
    figure{margin:0}img{width:100%;height:auto;background:#eee}\
    figcaption div{overflow-wrap:anywhere}\
    .label{font-weight:600}.prediction{color:#144696}.reason{color:#963c0a}.name{color:#787878}";

/// Writes a page, pictures as data URIs in the bytes they are stored in.
///
/// # Errors
/// When there are no pictures.
pub fn html(page: &Page) -> Result<String, PageError> {
    if page.cells.is_empty() {
        return Err(PageError::Empty);
    }
    let title = escaped(&page.title);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n<main style=\"--columns:{}\">\n",
        page.columns.max(1)
    );
    for cell in &page.cells {
        let kind = if cell.picture.starts_with(b"\x89PNG") { "png" } else { "jpeg" };
        html.push_str(&format!(
            "<figure><img loading=\"lazy\" alt=\"\" src=\"data:image/{kind};base64,{}\"><figcaption>",
            STANDARD.encode(&cell.picture)
        ));
        for (tone, line) in &cell.lines {
            let class = match tone {
                Tone::Label => "label",
                Tone::Prediction => "prediction",
                Tone::Reason => "reason",
                Tone::Name => "name",
            };
            html.push_str(&format!("<div class=\"{class}\">{}</div>", escaped(line)));
        }
        html.push_str("</figcaption></figure>\n");
    }
    html.push_str("</main>\n</html>\n");
    Ok(html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::cell::Cell;
    use super::*;

    #[test]
    fn a_page_holds_its_pictures_and_no_markup_of_others() {
        let cell = Cell {
            picture: b"\x89PNG rest".to_vec(),
            lines: vec![(Tone::Label, "<script>alert(\"x\")</script> & more".to_owned())],
        };
        let page = Page { title: "<b>".to_owned(), columns: 3, cells: vec![cell] };
        let html = html(&page).expect("a page");
        assert!(html.contains("data:image/png;base64,iVBORyByZXN0"), "{html}");
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
        assert!(html.contains("&lt;b&gt;") && html.contains("--columns:3"));
        assert!(!html.contains("http"), "nothing is fetched");
        let empty = Page { cells: vec![], ..page };
        assert!(matches!(super::html(&empty), Err(PageError::Empty)));
    }
}
