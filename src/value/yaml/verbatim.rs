//! Texts that are no templates: `!unsafe`. They are kept as the template that gives them, so that whatever renders them has them as
//! they were written, and renders no more.

use std::borrow::Cow;

const BEGIN: &str = "{% raw %}";
const END: &str = "{% endraw %}";
/// A block that begins inside the text, told in two so that it cannot end the one around it.
const SPLIT: &str = "{% endraw %}{{ '{' }}{% raw %}%";

/// The template that gives this text; the text itself where it cannot be read as one.
pub(super) fn verbatim(text: &str) -> Cow<'_, str> {
    if !["{{", "{%", "{#"].iter().any(|begin| text.contains(begin)) {
        return text.into();
    }
    format!("{BEGIN}{}{END}", text.replace("{%", SPLIT)).into()
}

/// The text that a template of [`verbatim`] gives; every other text as it is.
pub fn meant(text: &str) -> Cow<'_, str> {
    let within = text
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END));
    match within {
        Some(within) => within.replace(SPLIT, "{%").into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_had_back() {
        for text in [
            "plain",
            "{{ a }}",
            "{% endraw %}{{ '{' }}{% raw %}%",
            "\n{%- endraw -%}\n\\\"'",
        ] {
            assert_eq!(meant(&verbatim(text)), text);
        }
        assert_eq!(verbatim("a { b } %}"), "a { b } %}");
        assert_eq!(meant("{{ a }}"), "{{ a }}");
    }
}
