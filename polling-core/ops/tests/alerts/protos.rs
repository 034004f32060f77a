//! Services as their interfaces tell them.

use polling_ops::alerts::Service;

use super::{protos, watched};

#[test]
fn services_are_found_with_their_streams_and_without_those_of_imports() {
    let found = watched().services;
    let told: Vec<_> = found
        .iter()
        .flat_map(|service| {
            service.methods.iter().map(|(name, method)| {
                let streams = if method.streams { " streams" } else { "" };
                format!("{}/{name}{streams}", service.name)
            })
        })
        .collect();
    assert_eq!(
        told,
        [
            "MeterIngest/Put",
            "MeterIngest/Put_2",
            "freight.tracking.Tracker/Follow streams",
            "freight.tracking.Tracker/Locate",
            "freight.tracking.Tracker/Report streams",
            "library.catalog.v1.Catalog/FindBook",
            "library.catalog.v1.Catalog/Lend",
            "library.catalog.v1.Catalog/WatchShelves streams",
            "library.catalog.v1.Members/Join",
        ]
    );
}

#[test]
fn a_descriptor_set_tells_the_same() {
    let mut compiler = protox::Compiler::new([protos()]).unwrap();
    compiler.include_imports(true);
    compiler.open_file("telemetry/ingest.proto").unwrap();
    let bytes = compiler.encode_file_descriptor_set();
    let services = Service::from_descriptor_set(&bytes).unwrap();
    assert_eq!(services, watched().services[..1]);
    assert!(Service::from_descriptor_set(b"no descriptors").is_err());
}

#[test]
fn an_interface_that_is_wrong_is_told_with_its_file() {
    let error = Service::from_protos(["nothing.proto"], [protos()]).unwrap_err();
    assert!(error.to_string().contains("nothing.proto"), "{error}");
}
