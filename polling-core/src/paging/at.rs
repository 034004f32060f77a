//! What a call asks for.

/// Where the next page is. A channel knows one or two of these; take what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<I = ()> {
    /// Everything up to here is published: the channel's `since_id` or `updated_since`. `None` at
    /// an account's first poll, which takes all there is.
    pub since: Option<I>,
    /// The last item read: the channel's `max_id`, `before` or `after`. `None` at the head.
    pub after: Option<I>,
    /// The token that the last page gave for this one, be it a cursor or a link.
    pub token: Option<String>,
    /// Pages read since the head, 0 there: for channels that number their pages, or count with an
    /// offset, and know nothing better. What arrives while pages are read is met again on the
    /// next; but if items are deleted, as many move up to a page that was read, and are skipped.
    pub page: u32,
}
