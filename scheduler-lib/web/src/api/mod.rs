//! The JSON API: what `pollctl` and programs call.

mod batch;
mod body;
pub(crate) mod bulk;
mod bursts;
mod channels;
mod check;
pub(crate) mod error;
mod explain;
mod jobs;
mod moving;
mod openapi;
mod pace;
mod queues;
mod scaling;
mod schema;
mod scopes;
pub(crate) mod select;
mod settings;
mod slots;
mod undecodable;
mod view;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with, put_with},
};
use axum::{
    Json, Router, extract::DefaultBodyLimit, middleware::from_fn_with_state, response::NoContent,
};

use self::error::Problem;
use crate::{Web, access, load};

/// Everything below `/v1`.
pub(crate) fn router(web: &Web) -> Router<Web> {
    // The last layer runs first: who is not allowed in takes no permit.
    Router::from(routes())
        .layer(DefaultBodyLimit::max(web.0.options.max_body_size_bytes))
        .layer(from_fn_with_state(web.clone(), load::bound))
        .layer(from_fn_with_state(web.clone(), access::of_program))
}

/// The routes, each with what it says of itself.
fn routes() -> ApiRouter<Web> {
    ApiRouter::new()
        .api_route(
            "/openapi.json",
            get_with(openapi::show, |op| {
                op.id("describe")
                    .summary("This document")
                    .response::<200, Json<schema::Object>>()
            }),
        )
        .api_route(
            "/channels",
            get_with(channels::list, |op| {
                op.id("listChannels")
                    .summary("The channels, and what this process did for each")
            }),
        )
        .api_route(
            "/check",
            get_with(check::check, |op| {
                op.id("check")
                    .summary("Looks at everything that the configuration names")
                    .response::<200, Json<schema::Object>>()
            }),
        )
        .api_route(
            "/settings",
            get_with(settings::list, |op| {
                op.id("listSettings")
                    .summary("What may be changed, what is in force, what was refused")
            }),
        )
        .merge(of_settings())
        .nest(
            "/channels/{channel}",
            of_channel().merge(of_jobs()).merge(moving()),
        )
}

fn of_settings() -> ApiRouter<Web> {
    ApiRouter::new()
        .api_route(
            "/settings/{key}",
            get_with(settings::show, |op| {
                op.id("showSetting")
                    .summary("One setting, and what is written where it can be changed")
                    .response::<501, Json<Problem>>()
            })
            .put_with(settings::set, |op| {
                op.id("changeSetting")
                    .summary("Changes it for all replicas, once it is checked")
                    .response::<200, Json<settings::MadeView>>()
                    .response::<409, Json<settings::Conflict>>()
                    .response::<501, Json<Problem>>()
            })
            .delete_with(settings::unset, |op| {
                op.id("giveUpSetting")
                    .summary("Back to what the next source says, or the static value")
                    .response::<200, Json<settings::MadeView>>()
                    .response::<409, Json<settings::Conflict>>()
                    .response::<501, Json<Problem>>()
            }),
        )
        .api_route(
            "/settings/{key}/history",
            get_with(settings::history, |op| {
                op.id("listChanges")
                    .summary("Who changed it here, when and why; newest first")
                    .response::<501, Json<Problem>>()
            }),
        )
}

fn of_channel() -> ApiRouter<Web> {
    ApiRouter::new()
        .api_route("/", get_with(channels::show, |op| op.id("showChannel").summary("What is where, and what this process did")))
        .api_route("/bursts", get_with(bursts::list, |op| op.id("listBursts").summary("Jobs whose polls found more than they could fetch, those with most bursts first")))
        .api_route("/queues", get_with(queues::list, |op| op.id("listQueues").summary("How much is in each queue")))
        .api_route("/scaling", get_with(scaling::list, |op| op.id("listScaling").summary("How many workers there should be")))
        .api_route("/scopes", get_with(scopes::list, |op| op.id("listScopes").summary("The rate-limit scopes of a page of jobs, and how each stands")))
        .api_route("/slots", get_with(slots::ahead, |op| op.id("lookAhead").summary("How many jobs are due when")))
        .api_route("/start", post_with(moving::start, |op| op.id("startChannel").summary("Lets a stopped channel go on").response::<204, NoContent>()))
        .api_route("/stop", post_with(moving::stop, |op| op.id("stopChannel").summary("Stops a channel at once: nothing is dispatched until it is started").response::<204, NoContent>()))
        .api_route("/undecodable", get_with(undecodable::list, |op| op.id("listMessages").summary("Messages that nobody could decode, newest first")))
        .api_route("/undecodable/{message}", get_with(undecodable::show, |op| op.id("showMessage").summary("One of them")).delete_with(undecodable::remove, |op| op.id("removeMessage").summary("Keeps it no longer, for good").response::<204, NoContent>()))
        .api_route("/undecodable/{message}/redrive", post_with(undecodable::redrive, |op| op.id("redriveMessage").summary("Sends it again, to the work queue of a job type or to the completed queue").response::<204, NoContent>()))
}

fn of_jobs() -> ApiRouter<Web> {
    ApiRouter::new()
        .api_route(
            "/jobs",
            get_with(jobs::list, |op| {
                op.id("listJobs")
                    .summary("A page of jobs; of a page that is not the last there may be none")
            })
            .post_with(jobs::register, |op| {
                op.id("registerJob")
                    .summary("Registers a job; repeating it changes nothing")
                    .response::<201, Json<jobs::RegisteredView>>()
                    .response::<200, Json<jobs::RegisteredView>>()
            }),
        )
        .api_route(
            "/jobs:batch",
            post_with(batch::register, |op| {
                op.id("registerJobs")
                    .summary("Registers up to 1 000 jobs: an array, or a JSON object on each line")
                    .input::<body::Body<Vec<jobs::RegistrationBody>>>()
            }),
        )
        .api_route(
            "/jobs:pause",
            post_with(bulk::pause, |op| {
                op.id("pauseJobs")
                    .summary("Holds what is meant of a page of jobs")
            }),
        )
        .api_route(
            "/jobs:resume",
            post_with(bulk::resume, |op| {
                op.id("resumeJobs").summary(
                    "Resumes what is meant of a page of held jobs, spread over their intervals",
                )
            }),
        )
        .api_route(
            "/jobs/{id}",
            get_with(jobs::show, |op| {
                op.id("showJob").summary("A job with its context")
            })
            .patch_with(jobs::update, |op| {
                op.id("updateJob")
                    .summary("Changes its level, cushion or pace; what is not there stays")
                    .response::<204, NoContent>()
            })
            .delete_with(jobs::remove, |op| {
                op.id("removeJob")
                    .summary("Unregisters it")
                    .response::<204, NoContent>()
            }),
        )
        .api_route(
            "/jobs/{id}/context",
            put_with(jobs::replace_context, |op| {
                op.id("replaceContext")
                    .summary("Replaces what the next poll begins with")
                    .response::<204, NoContent>()
            }),
        )
        .api_route(
            "/jobs/{id}/explain",
            get_with(explain::explain, |op| {
                op.id("explainJob")
                    .summary("Why it is where it is; in words for `text/plain`")
                    .response::<200, Json<schema::Explanation>>()
            }),
        )
        .api_route(
            "/jobs/{id}/pause",
            post_with(jobs::pause, |op| op.id("pauseJob").summary("Holds it")),
        )
        .api_route(
            "/jobs/{id}/resume",
            post_with(jobs::resume, |op| {
                op.id("resumeJob")
                    .summary("Returns it to the cycle, due at once")
            }),
        )
        .api_route(
            "/jobs/{id}/run-now",
            post_with(jobs::run_now, |op| {
                op.id("runJob")
                    .summary("Polls it at once")
                    .response::<204, NoContent>()
            }),
        )
        .api_route(
            "/jobs/{id}/park",
            post_with(jobs::park, |op| {
                op.id("parkJob")
                    .summary("Holds it as looked at and left out")
            }),
        )
}

fn moving() -> ApiRouter<Web> {
    ApiRouter::new()
        .api_route(
            "/jobs:move/now",
            post_with(moving::all_now, |op| {
                op.id("runJobs")
                    .summary("Polls what is meant of a page at once")
            }),
        )
        .api_route(
            "/jobs:move/time/{from}/{until}",
            post_with(moving::all_to_time, |op| {
                op.id("moveJobs")
                    .summary("Places what waits, of a page, between two times")
            }),
        )
        .api_route(
            "/jobs:move/channel/{to}",
            post_with(moving::all_to_channel, |op| {
                op.id("handOverJobs")
                    .summary("Puts what is meant of a page into another channel")
            }),
        )
        .api_route(
            "/jobs/{id}/move/time/{from}/{until}",
            post_with(moving::to_time, |op| {
                op.id("moveJob").summary("Places it between two times")
            }),
        )
        .api_route(
            "/jobs/{id}/move/channel/{to}",
            post_with(moving::to_channel, |op| {
                op.id("handOverJob").summary("Puts it into another channel")
            }),
        )
}
