use proptest::prelude::*;

use super::*;

#[test]
fn a_reader_sees_words_links_lists_and_quotes() {
    let text = to_text(
        "<html><head><title>x</title><style>p{color:red}</style><script>alert(1)</script></head><body><!-- hidden -->\
         <p>Hello <b>you</b>,</p><p>See <a href=\"https://example.org/help\">the manual</a> or \
         <a href=\"https://example.org\">example.org</a>.</p><ul><li>one</li><li>two</li></ul>\
         <blockquote>what you wrote</blockquote><hr>Bye<br>Jean</body></html>",
    );
    assert_eq!(
        text,
        "Hello you,\n\nSee the manual (https://example.org/help) or example.org.\n- one\n- two\n\n> what you wrote\n\nBye\nJean\n"
    );
}

#[test]
fn a_table_of_data_keeps_its_rows_together() {
    let text = to_text("<table><tr><th>Item</th><th>Price</th></tr><tr><td>Printer</td><td>120</td></tr></table>");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["Item", "Price"]) && rows.contains(&vec!["Printer", "120"]), "{text:?}");
}

#[test]
fn a_layout_made_of_tables_reads_from_top_to_bottom() {
    let text = to_text(
        "<table><tr><td><table><tr><td>Dear client,</td></tr></table></td><td><table><tr><td>Your order left.</td></tr>\
         </table></td></tr></table>",
    );
    assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), "Dear client, Your order left.");
}

#[test]
fn nothing_that_runs_or_calls_home_survives() {
    let clean = sanitise(
        "<p onclick=\"x()\" style=\"background:url(http://evil/)\">Hi</p><script>x()</script><style>p{}</style>\
         <form action=\"http://evil\"><input name=a></form><iframe src=\"http://evil\"></iframe>\
         <img src=\"http://evil/track.gif\" alt=\"logo\"><img src=\"cid:logo@x\"><img src=\"CID:b\"><img src=\"data:image/png;base64,AA\">\
         <a href=\"javascript:x()\">a</a><a href=\"https://example.org/\">b</a><svg><script>x()</script></svg><base href=\"http://evil/\">\
         <a href=\"/relative\">c</a><meta http-equiv=refresh content=\"0;url=http://evil\">",
    );
    for forbidden in
        ["onclick", "style", "script", "form", "input", "iframe", "evil", "javascript", "data:", "relative", "meta"]
    {
        assert!(!clean.contains(forbidden), "{forbidden} in {clean}");
    }
    assert!(clean.contains("src=\"cid:logo@x\"") && clean.contains("alt=\"logo\""), "{clean}");
    assert!(clean.contains("<a href=\"https://example.org/\" rel=\"noopener noreferrer nofollow\">b</a>"), "{clean}");
}

#[test]
fn html_nested_without_end_is_read_all_the_same() {
    let deep = format!("{}words{}", "<div>".repeat(50_000), "</div>".repeat(50_000));
    assert_eq!(to_text(&deep).trim(), "words");
    assert!(sanitise(&deep).contains("words"));
    let tables = format!("{}words", "<table><tr><td>".repeat(20_000));
    assert!(to_text(&tables).contains("words"));
}

#[test]
fn a_page_sent_as_plain_text_is_known() {
    assert!(is_document("\n<!-- v1 -->\n<HTML lang=en><body>x"));
    assert!(!is_document("<b>is how you write"));
    assert!(!is_document("1 < 2 <html>"));
}

#[test]
fn the_charset_a_page_names_for_itself_is_found() {
    assert_eq!(declared_charset(b"<meta charset=\"ISO-8859-2\">").as_deref(), Some("iso-8859-2"));
    assert_eq!(declared_charset(b"<meta content='text/html; charset=windows-1251'>").as_deref(), Some("windows-1251"));
    assert_eq!(declared_charset(b"<p>no charset here"), None);
}

proptest! {
    #[test]
    fn no_html_makes_it_panic(html in "(<[a-z/!]{0,3}[a-z]{0,5}[ =\"'>]?|&#?[a-z0-9]{0,6};?|[ -~éü\u{3042}\u{f8f0}-\u{f8f2}\n]{0,6}){0,80}") {
        let clean = sanitise(&html);
        prop_assert!(!clean.to_ascii_lowercase().contains("<script"));
        let _text = to_text(&html);
        let _text = stripped(&html);
    }
}
