//! One window, as a person uses it. What the console complained of, and every address that was asked, is checked at
//! the end: pages that break the content policy or ask anybody else do not pass.

use crate::driver::Driver;
use crate::eventually::{PATIENCE, eventually};
use crate::node::Node;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// A window on one installation.
pub struct Browser {
    driver: Driver,
    origin: String,
}

impl Browser {
    /// A window of a laptop on the pages of a process.
    pub async fn on(node: &mut Node) -> Self {
        Browser::sized(node, 1440, 900).await
    }

    /// A window of this size.
    pub async fn sized(node: &mut Node, width: u32, height: u32) -> Self {
        let origin = node.ready_line().expect("it is ready");
        Browser { driver: Driver::start(width, height).await, origin }
    }

    /// From here on no script of a page runs.
    pub async fn without_scripts(self) -> Self {
        self.driver.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        self
    }

    /// Pages are seen in this scheme, `light` or `dark`.
    pub async fn scheme(&self, scheme: &str) {
        let feature = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.driver.devtools("Emulation.setEmulatedMedia", feature).await;
    }

    /// Pages are as wide as this, in the manner of a phone when narrow.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.driver.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Goes to a path.
    pub async fn go(&self, path: &str) {
        self.driver.ask("url", json!({"url": format!("{}{path}", self.origin)})).await;
    }

    /// The path that the window is on.
    pub async fn path(&self) -> String {
        let url = self.driver.look("url").await;
        let url = url.as_str().expect("an address is text");
        url.strip_prefix(&self.origin).unwrap_or_else(|| panic!("{url} is not ours")).to_owned()
    }

    /// What a function's body answers in the page.
    pub async fn evaluate(&self, body: &str) -> Value {
        self.driver.ask("execute/sync", json!({"script": body, "args": []})).await
    }

    /// Waits until a function's body answers this in the page: what was pressed may lead to another page.
    pub async fn shows(&self, body: &str, wanted: &str) {
        eventually(&format!("{body} is {wanted:?}"), PATIENCE, async || {
            let seen = self.evaluate(body).await;
            if seen == wanted { Ok(()) } else { Err(seen) }
        })
        .await;
    }

    /// The text of the page as people read it.
    pub async fn text(&self) -> String {
        let text = self.evaluate("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page says this.
    pub async fn sees(&self, text: &str) {
        self.sees_within(text, PATIENCE).await;
    }

    /// Waits until the page says this, at most so long.
    pub async fn sees_within(&self, text: &str, within: Duration) {
        eventually(&format!("the page says {text:?}"), within, async || {
            let seen = self.text().await;
            if seen.contains(text) { Ok(()) } else { Err(seen) }
        })
        .await;
    }

    /// Presses what a selector finds first.
    pub async fn press(&self, selector: &str) {
        let element = self.find(selector).await;
        self.driver.ask(&format!("element/{element}/click"), json!({})).await;
    }

    /// Writes into a field, in place of what stood there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.driver.ask(&format!("element/{element}/clear"), json!({})).await;
        self.driver.ask(&format!("element/{element}/value"), json!({"text": text})).await;
    }

    /// Presses keys, wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
            })
            .collect();
        self.driver
            .ask("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]}))
            .await;
    }

    async fn find(&self, selector: &str) -> String {
        let found = self.driver.ask("element", json!({"using": "css selector", "value": selector})).await;
        let id = found.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("{selector}: {found}")).to_owned()
    }

    /// A picture of the whole page, as tall as it is.
    pub async fn picture(&self, name: &str) {
        let drawn = "return document.documentElement.scrollWidth > 0 && document.readyState === 'complete'";
        eventually("the page is laid out", PATIENCE, async || match self.evaluate(drawn).await {
            Value::Bool(true) => Ok(()),
            other => Err(other),
        })
        .await;
        let shot =
            self.driver.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true})).await;
        let bytes =
            STANDARD.decode(shot["data"].as_str().expect("a picture is base64")).expect("and well-formed");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
        std::fs::create_dir_all(&folder).expect("the target directory takes a directory");
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("and a file");
    }

    /// Ends the window. Nothing was complained of, and nobody but us was asked.
    pub async fn close(self) {
        self.close_after(&[]).await;
    }

    /// Ends the window. Complaints that hold one of these words were meant.
    pub async fn close_after(self, meant: &[&str]) {
        let log = self.driver.ask("se/log", json!({"type": "browser"})).await;
        for entry in log.as_array().expect("a log is a list") {
            let message = entry["message"].as_str().unwrap_or_default();
            assert!(meant.iter().any(|word| message.contains(word)), "the console says: {message}");
        }
        let log = self.driver.ask("se/log", json!({"type": "performance"})).await;
        for entry in log.as_array().expect("a log is a list") {
            let entry: Value =
                serde_json::from_str(entry["message"].as_str().unwrap_or_default()).unwrap_or_default();
            let url = entry["message"]["params"]["request"]["url"].as_str().unwrap_or_default();
            // The browser's own first page asks for its own parts.
            let ours = url.starts_with(&self.origin) || url.starts_with("chrome") || !url.contains("://");
            assert!(ours, "the page asked {url}");
        }
        self.driver.quit().await;
    }
}
