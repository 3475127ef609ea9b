//! The agents' console as browsers meet it: pages and forms over the whole router, with cookies, without JavaScript.

mod acting;
mod browser;
mod crawling;
mod first;
mod listing;
mod roles;
mod signing_in;
