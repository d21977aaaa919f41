//! The first line of a template file that sets its options.

use std::sync::Arc;

use super::check::Problem;
use super::compile::markers;
use super::scan::MARKERS;
use crate::resource::RenderOptions;

/// Reads `#jinja2: trim_blocks: true, …` and says where the template begins.
pub(super) fn header(
    text: &str,
    options: &RenderOptions,
) -> Result<(usize, RenderOptions), Problem> {
    let mut options = options.clone();
    let Some(rest) = text.strip_prefix("#jinja2:") else {
        return Ok((0, options));
    };
    let line = rest.split('\n').next().unwrap_or("");
    let end = ("#jinja2:".len() + line.len() + 1).min(text.len());
    let mut custom: [String; 6] = markers(&options).map(str::to_owned);
    for pair in line.split(',') {
        let at = pair.as_ptr() as usize - text.as_ptr() as usize;
        let fault = |message: String| {
            let lead = pair.len() - pair.trim_start().len();
            Problem::new(at + lead..at + pair.trim_end().len(), message)
        };
        let Some((name, value)) = pair.split_once(':') else {
            return Err(fault("`#jinja2:` needs `option: value` pairs".to_owned()));
        };
        let value = value.trim();
        let quoted = value.trim_matches(['\'', '"']).to_owned();
        let flag = || match value {
            "True" | "true" | "yes" => Ok(true),
            "False" | "false" | "no" => Ok(false),
            _ => Err(fault(format!("`{value}` is not `True` or `False`"))),
        };
        match name.trim() {
            "trim_blocks" => options.trim_blocks = flag()?,
            "lstrip_blocks" => options.lstrip_blocks = flag()?,
            "variable_start_string" => custom[0] = quoted,
            "variable_end_string" => custom[1] = quoted,
            "block_start_string" => custom[2] = quoted,
            "block_end_string" => custom[3] = quoted,
            "comment_start_string" => custom[4] = quoted,
            "comment_end_string" => custom[5] = quoted,
            other => {
                return Err(fault(format!("`{other}` is not an option of `#jinja2:`")).help(
                    "known are trim_blocks, lstrip_blocks and the six *_start_string and *_end_string",
                ));
            }
        }
    }
    if custom.iter().map(String::as_str).ne(MARKERS) {
        options.markers = Some(Arc::new(custom));
    }
    Ok((end, options))
}
