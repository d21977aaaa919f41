//! Addresses taken apart.

use super::Url;

#[test]
fn addresses_are_taken_apart() {
    let url = Url::parse("http://us%40er:p%3Aw@[::1]:8080/a/b%20c.tgz?x=/y#frag").unwrap();
    assert_eq!(url.text, "http://[::1]:8080/a/b%20c.tgz?x=/y");
    assert_eq!((url.host.as_str(), url.port, url.tls), ("::1", 8080, false));
    assert_eq!(url.target, "/a/b%20c.tgz?x=/y");
    assert_eq!(url.login, Some(("us@er".to_owned(), "p:w".to_owned())));
    assert_eq!(url.name().as_deref(), Some("b c.tgz"));
    assert_eq!(url.place(), "[::1]:8080");

    let url = Url::parse("https://example.org?q").unwrap();
    assert_eq!((url.target.as_str(), url.port), ("/?q", 443));
    assert_eq!((url.name(), url.place()), (None, "example.org".to_owned()));
    for wrong in [
        "ftp://x/",
        "example.org",
        "http:///x",
        "http://a b/",
        "http://a:x/",
    ] {
        assert!(Url::parse(wrong).is_err(), "{wrong}");
    }
}
