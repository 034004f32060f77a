//! Which scheduler, which channel, and who may.

use pollctl::Token;
use scheduler::config::Admin;
use scheduler_web::Secret;

use crate::support::Server;

const TOKEN: &str = "0123456789abcdef";

#[tokio::test]
async fn the_token_lets_in_and_never_shows() {
    let mut settings = Admin::default();
    settings.token = Some(Secret::new(TOKEN));
    let server = Server::with(&["mastodon"], settings, None).await;
    let done = server.run(&["channels"]).await;
    assert!(
        done.code == 4 && done.err.contains("set POLLCTL_TOKEN"),
        "{done:?}"
    );
    let done = server
        .run_with(&["channels"], "", Some(Token::new("wrong-wrong-wrong")))
        .await;
    assert!(
        done.code == 4 && !done.err.contains("wrong-wrong"),
        "{done:?}"
    );
    let done = server
        .run_with(&["channels"], "", Some(Token::new(TOKEN)))
        .await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!format!("{:?}", Token::new(TOKEN)).contains(TOKEN));
}

#[tokio::test]
async fn of_several_channels_one_has_to_be_named() {
    let server = Server::with(&["mastodon", "github"], Admin::default(), None).await;
    let done = server.run(&["pause", "--all"]).await;
    assert!(
        done.code == 2 && done.err.contains("(github, mastodon)"),
        "{done:?}"
    );
    let done = server.run(&["--channel", "mastodn", "queues"]).await;
    assert!(
        done.code == 3 && done.err.contains("did you mean \"mastodon\"?"),
        "{done:?}"
    );
    server.told(&["--channel", "github", "queues"]).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_a_wrong_command_line() {
    let server = Server::start().await;
    for url in ["localhost", "ftp://localhost", "https://localhost"] {
        let done = server.run(&["channels", "--url", url]).await;
        if url.starts_with("https") && cfg!(feature = "tls") {
            continue;
        }
        assert!(
            done.code == 2 && done.err.contains("no address of a scheduler"),
            "{done:?}"
        );
    }
}
