//! What stands around every page: title, places to go, the age of the data, and the warnings that nobody may miss.

use super::markup::Markup;
use super::{asset, words};
use bw_domain::limits;
use bw_domain::time::{Duration, Instant};

/// The places of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    Overview,
    Incidents,
    Deliveries,
    System,
}

/// All of them with address and name.
const PLACES: [(Here, &str, &str); 4] = [
    (Here::Overview, "/", "Overview"),
    (Here::Incidents, "/ui/incidents", "Incidents"),
    (Here::Deliveries, "/ui/deliveries", "Deliveries"),
    (Here::System, "/ui/system", "System"),
];

/// Seconds after which a page with moving data asks again.
pub const REFRESH_S: u32 = 5;
/// The same for lists so long that asking costs something.
pub const REFRESH_LONG_S: u32 = 30;

/// The surroundings of one page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Of the window: what it is about, then the product.
    pub title: String,
    pub here: Option<Here>,
    /// How wide text may run: everything, `read` or `narrow`.
    pub width: &'static str,
    /// 0: the page does not refresh itself.
    pub refresh_s: u32,
    /// When its data was read.
    pub now: Instant,
    /// The sentence that says that the schedule is late.
    pub behind: Option<String>,
    /// Started with `--auth none` beyond loopback.
    pub unguarded: bool,
    /// What forms carry when somebody is signed in.
    pub session: Option<String>,
    /// False on the pages that are seen before signing in.
    pub inside: bool,
    /// What the last deed did.
    pub said: Option<String>,
    /// Something is down: the icon in the window's tab says so.
    pub trouble: bool,
}

impl Frame {
    /// The surroundings of a page that is seen before anybody is let in: nothing in them tells of the installation.
    pub fn outside(now: Instant) -> Self {
        Frame {
            title: String::new(),
            here: None,
            width: "",
            refresh_s: 0,
            now,
            behind: None,
            unguarded: false,
            session: None,
            inside: false,
            said: None,
            trouble: false,
        }
    }

    /// Where an asset is found.
    pub fn asset(&self, name: &str) -> String {
        asset::address(name)
    }

    /// The icon of the tab.
    pub fn icon(&self) -> &'static str {
        if self.trouble { "icon-down.svg" } else { "icon.svg" }
    }

    /// When the data was read.
    pub fn age(&self) -> Markup {
        words::time(self.now, &format!("{} UTC", words::clock(self.now)))
    }

    /// Where one can go: address, name, and whether one is there.
    pub fn places(&self) -> [(&'static str, &'static str, bool); PLACES.len()] {
        PLACES.map(|(here, address, name)| (address, name, self.here == Some(here)))
    }

    /// Names the page and its place.
    pub fn titled(mut self, here: Option<Here>, title: &str) -> Self {
        self.title = format!("{title} · Bellwether");
        self.here = here;
        self
    }

    /// The page refreshes itself.
    pub fn moving(mut self) -> Self {
        self.refresh_s = REFRESH_S;
        self
    }

    /// Text runs no wider than this class allows.
    pub fn wide(mut self, width: &'static str) -> Self {
        self.width = width;
        self
    }

    /// What forms carry, empty when nobody is signed in.
    pub fn csrf(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }
}

/// The sentence about a schedule that lags, once it passes its bound.
pub fn behind(lag: Duration) -> Option<String> {
    (lag > limits::LAG_BOUND)
        .then(|| format!("The schedule is {} behind: what you see may be old.", words::long(lag)))
}
