//! The keyboard.

use anyhow::bail;
use serde_json::{Value, json};

use crate::Page;

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// To the next line, or on.
    Enter,
    /// To the next field.
    Tab,
    /// Out of what is open.
    Escape,
    /// A letter, a digit or a sign.
    Char(char),
}

impl Page {
    /// Presses a key, and lets it go.
    ///
    /// # Errors
    ///
    /// The browser has ended.
    pub async fn press(&self, key: Key) -> anyhow::Result<()> {
        let mut event = key.event();
        event["type"] = "keyDown".into();
        self.call("Input.dispatchKeyEvent", event.clone()).await?;
        event["type"] = "keyUp".into();
        if let Some(fields) = event.as_object_mut() {
            fields.remove("text");
        }
        self.call("Input.dispatchKeyEvent", event).await?;
        Ok(())
    }

    /// Presses the keys of a text, one after the other.
    ///
    /// # Errors
    ///
    /// The browser has ended.
    pub async fn type_text(&self, text: &str) -> anyhow::Result<()> {
        for letter in text.chars() {
            self.press(Key::Char(letter)).await?;
        }
        Ok(())
    }

    /// Presses Tab until the element has the focus that a selector names.
    ///
    /// # Errors
    ///
    /// Two hundred times were not enough: the keyboard does not reach it.
    pub async fn tab_to(&self, selector: &str) -> anyhow::Result<()> {
        let there = format!(
            "document.activeElement?.matches({}) === true",
            json!(selector)
        );
        for _ in 0..200 {
            if self.tell::<bool>(&there).await? {
                return Ok(());
            }
            self.press(Key::Tab).await?;
        }
        bail!("the keyboard does not reach {selector}")
    }
}

impl Key {
    fn event(self) -> Value {
        match self {
            Self::Enter => {
                json!({"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"})
            }
            Self::Tab => json!({"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}),
            Self::Escape => json!({"key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27}),
            Self::Char(letter) => {
                let code = match letter {
                    'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => {
                        u32::from(letter.to_ascii_uppercase())
                    }
                    '/' | '?' => 191,
                    _ => 0,
                };
                json!({"key": letter, "windowsVirtualKeyCode": code, "text": letter})
            }
        }
    }
}
