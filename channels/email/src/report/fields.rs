//! `Name: value` lines with folding, as delivery status parts, returned header blocks and careless copies of both have them.

/// One field, its name in lower case.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
}

/// The groups of fields of a text, split at blank lines. Lines without a name continue the field before them.
pub(super) fn groups(text: &str) -> Vec<Vec<Field>> {
    let mut groups: Vec<Vec<Field>> = vec![Vec::new()];
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            if groups.last().is_some_and(|group| !group.is_empty()) {
                groups.push(Vec::new());
            }
            continue;
        }
        let Some(group) = groups.last_mut() else { continue };
        match field(line) {
            Some(field) if !line.starts_with([' ', '\t']) => group.push(field),
            _ => {
                if let Some(last) = group.last_mut() {
                    last.value.push(' ');
                    last.value.push_str(line.trim());
                }
            }
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// The value of the first field of this name, which must be in lower case.
pub(super) fn value<'g>(group: &'g [Field], name: &str) -> Option<&'g str> {
    group.iter().find(|field| field.name == name).map(|field| field.value.as_str()).filter(|value| !value.is_empty())
}

fn field(line: &str) -> Option<Field> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim();
    let is_name = !name.is_empty()
        && name.len() < 60
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    is_name.then(|| Field { name: name.to_ascii_lowercase(), value: value.trim().to_owned() })
}
