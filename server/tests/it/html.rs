//! Enough of HTML to post a form as a browser does.

/// Names and values in order.
pub type Pairs = Vec<(String, String)>;

/// What a browser would post if the form with that action were submitted as it stands: all inputs but
/// buttons, radio buttons only where they are checked, the selected option of each select. `None` where the
/// page has no such form.
pub fn form(page: &str, action: &str) -> Option<Pairs> {
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("<form") {
        let (form, next) = after.split_once("</form>").expect("an end of the form");
        let (attributes, body) = tag(form);
        if value_of(&attributes, "action") == Some(action) {
            assert_eq!(value_of(&attributes, "method"), Some("post"));
            return Some(fields(body));
        }
        rest = next;
    }
    None
}

fn fields(mut body: &str) -> Pairs {
    let mut pairs = Pairs::new();
    while let Some(start) = body.find('<') {
        body = &body[start + 1..];
        if let Some(input) = body.strip_prefix("input") {
            let (attributes, after) = tag(input);
            let is_left_out = match value_of(&attributes, "type") {
                Some("radio" | "checkbox") => value_of(&attributes, "checked").is_none(),
                Some("submit") => true,
                _ => false,
            };
            if let (Some(name), false) = (value_of(&attributes, "name"), is_left_out) {
                pairs.push((name.to_owned(), value_of(&attributes, "value").unwrap_or("").to_owned()));
            }
            body = after;
        } else if let Some(select) = body.strip_prefix("select") {
            let (attributes, after) = tag(select);
            let (options, after) = after.split_once("</select>").expect("an end of the select");
            let chosen = options
                .split("<option")
                .skip(1)
                .map(|option| tag(option).0)
                .find(|option| value_of(option, "selected").is_some())
                .and_then(|option| value_of(&option, "value").map(str::to_owned));
            if let Some(name) = value_of(&attributes, "name") {
                pairs.push((name.to_owned(), chosen.unwrap_or_default()));
            }
            body = after;
        }
    }
    pairs
}

/// The attributes of a tag, and what comes after it.
fn tag(text: &str) -> (Pairs, &str) {
    let mut attributes = Pairs::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
            return (attributes, after);
        }
        let end = rest.find(|c: char| c == '=' || c == '>' || c.is_whitespace()).expect("an end of the tag");
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').expect("an end of the value"),
            None => ("", after),
        };
        attributes.push((name.to_owned(), unescape(value)));
        rest = after.trim_start();
    }
}

fn value_of<'a>(attributes: &'a Pairs, name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Text of a page with its entities resolved.
pub fn unescape(html: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(html.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// The text between two marks.
pub fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, after) = page.split_once(from).unwrap_or_else(|| panic!("{from} is not in {page}"));
    after.split_once(to).unwrap_or_else(|| panic!("{to} is not in {page}")).0
}

/// The title of a page.
pub fn title(page: &str) -> String {
    unescape(between(page, "<title>", "</title>"))
}

/// The first heading of a page.
pub fn heading(page: &str) -> String {
    unescape(between(page, "<h1>", "</h1>"))
}

/// `application/x-www-form-urlencoded`
pub fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        body.append_pair(name.as_ref(), value.as_ref());
    }
    body.finish()
}

#[test]
fn a_form_is_read_as_a_browser_would_post_it() {
    let page = "<form method=\"post\" action=\"/a\"></form><form action=\"/b&amp;c\" method=\"post\" novalidate>\
        <input type=\"hidden\" name=\"x\" value=\"1 &quot;&amp;lt;\"><p>a &lt; b</p>\
        <input type=radio name=\"r\" value=\"no\"><input type=\"radio\" name=\"r\" value=\"yes\" checked />\
        <select id=\"s\" name=\"s\"><option value=\"\">-</option><option value=\"DE\" selected>D</option></select>\
        <button type=\"submit\" name=\"b\">Go</button></form>"
        .replace("type=radio", "type=\"radio\"");
    let expected = [("x", "1 \"&lt;"), ("r", "yes"), ("s", "DE")];
    assert_eq!(form(&page, "/b&c").unwrap(), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!(form(&page, "/c"), None);
}
