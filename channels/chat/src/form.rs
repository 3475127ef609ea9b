//! What is asked for in front of the first message.

use std::collections::BTreeMap;

use guichet_domain::inbound::Explained;
use serde::{Deserialize, Serialize};

use crate::identity::{is_email, line};
use crate::trouble::Trouble;
use crate::words::Words;

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type", default)]
    pub(crate) form: Form,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<String>,
    /// By language.
    #[serde(default, skip_serializing)]
    pub(crate) label: BTreeMap<String, String>,
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    #[default]
    Text,
    Email,
    Choice,
}

/// Name and e-mail address, both left to the visitor.
pub(crate) fn usual() -> Vec<Field> {
    let field = |name: &str, form| Field {
        name: name.to_owned(),
        form,
        required: false,
        options: Vec::new(),
        label: BTreeMap::new(),
    };
    vec![field("name", Form::Text), field("email", Form::Email)]
}

/// What is wrong with a form as the operator wrote it.
pub(crate) fn fault(form: &[Field]) -> Option<String> {
    let mut names = std::collections::BTreeSet::new();
    form.iter().find_map(|field| {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let Field { name, options, .. } = field;
        if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
            Some(format!("\"{name}\" cannot name a field"))
        } else if !names.insert(name) {
            Some(format!("there are two fields \"{name}\""))
        } else if field.form == Form::Choice && options.is_empty() {
            Some(format!("the choice \"{name}\" has no options"))
        } else {
            None
        }
    })
}

/// What was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) subject: Option<String>,
    /// A category's key, where the form has a choice of that name.
    pub(crate) category: Option<String>,
    pub(crate) notes: Vec<Explained>,
}

/// Reads what a client filled in. Fields nobody asked for are left out; of a person somebody vouches for, nothing is
/// required that is known.
pub(crate) fn filled(
    form: &[Field],
    given: &BTreeMap<String, String>,
    vouched: bool,
    words: Words,
) -> Result<Filled, Trouble> {
    let (mut filled, mut wrong, mut choices) = (Filled::default(), BTreeMap::new(), Vec::new());
    for field in form {
        let value = given.get(&field.name).map(|value| line(value)).filter(|value| !value.is_empty());
        let known = vouched && matches!(field.name.as_str(), "name" | "email");
        let Some(value) = value else {
            if field.required && !known {
                wrong.insert(
                    field.name.clone(),
                    words.pick("Please fill this in.", "Merci de remplir ce champ.").to_owned(),
                );
            }
            continue;
        };
        match field.form {
            Form::Email if !is_email(&value) => {
                let said = words.pick("This is no e-mail address.", "Ce n’est pas une adresse e-mail.");
                wrong.insert(field.name.clone(), said.to_owned());
            }
            Form::Choice if !field.options.contains(&value) => {
                let said = words.pick("Please choose one of the list.", "Merci de choisir dans la liste.");
                wrong.insert(field.name.clone(), said.to_owned());
            }
            form => {
                if form == Form::Choice && field.name != "category" {
                    choices.push(value.clone());
                }
                take(&mut filled, field, value);
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Trouble::fields(wrong));
    }
    if filled.subject.is_none() && !choices.is_empty() {
        filled.subject = Some(choices.join(" · "));
    }
    Ok(filled)
}

fn take(filled: &mut Filled, field: &Field, value: String) {
    match field.name.as_str() {
        "name" => filled.name = Some(value),
        "subject" => filled.subject = Some(value),
        "category" => filled.category = Some(value),
        name if field.form == Form::Email || name == "email" => {
            filled.email = filled.email.take().or_else(|| Some(value).filter(|value| is_email(value)));
        }
        name => filled.notes.push(Explained::new("chat.form", format!("{name}: {value}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Vec<Field> {
        let topic = serde_json::json!({"name": "topic", "type": "choice", "required": true, "options": ["Billing", "Delivery"]});
        let mut form = usual();
        form[1].required = true;
        form.push(serde_json::from_value(topic).unwrap());
        form
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_field_that_is_wrong_is_named_at_once() {
        let wrong = |pairs: &[(&str, &str)], vouched| {
            let trouble = filled(&form(), &given(pairs), vouched, Words::En).unwrap_err();
            trouble.fields.unwrap().0.into_iter().map(|(name, words)| format!("{name}: {words}")).collect::<Vec<_>>()
        };
        assert_eq!(wrong(&[], false), ["email: Please fill this in.", "topic: Please fill this in."]);
        assert_eq!(wrong(&[], true), ["topic: Please fill this in."]);
        assert_eq!(
            wrong(&[("email", "ines@"), ("topic", "Anything")], false),
            ["email: This is no e-mail address.", "topic: Please choose one of the list."]
        );
    }

    #[test]
    fn what_is_filled_in_becomes_name_address_and_subject() {
        let given = given(&[
            ("name", " Ines\u{202e} \n Canary"),
            ("email", "ines@example.org"),
            ("topic", "Billing"),
            ("x", "y"),
        ]);
        let filled = filled(&form(), &given, false, Words::Fr).unwrap();
        assert_eq!(filled.name.as_deref(), Some("Ines Canary"));
        assert_eq!(filled.email.as_deref(), Some("ines@example.org"));
        assert_eq!(filled.subject.as_deref(), Some("Billing"));
        assert_eq!(filled.notes, [Explained::new("chat.form", "topic: Billing")]);
    }
}
