//! Which services and methods there are, by their interface.

use std::{collections::BTreeMap, path::Path};

use protox::prost_reflect::{DescriptorPool, ServiceDescriptor};

/// Largest interface that is read, bytes.
const MAX_DESCRIPTORS_SIZE_BYTES: usize = 64 * 1024 * 1024;

/// A service over gRPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// With its package: `shop.orders.v1.Orders`.
    pub name: String,
    /// Its methods, by name.
    pub methods: BTreeMap<String, Method>,
}

/// A method of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Method {
    /// Whether either side sends a stream. Such a call is told once the stream has ended: how long it took, and how many
    /// there were, says how long clients stayed.
    pub streams: bool,
}

/// An interface that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the interface cannot be read: {what}")]
pub struct InterfaceError {
    what: String,
}

impl InterfaceError {
    fn new(what: &dyn ToString) -> Self {
        Self {
            what: what.to_string(),
        }
    }
}

impl Service {
    /// The services of these `.proto` files, sorted; those of files that they import are left out. Imports are looked for in
    /// `includes`, which the files must be in, too.
    ///
    /// # Errors
    ///
    /// [`InterfaceError`] that tells the file and the line.
    pub fn from_protos(
        files: impl IntoIterator<Item = impl AsRef<Path>>,
        includes: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> Result<Vec<Self>, InterfaceError> {
        let mut compiler =
            protox::Compiler::new(includes).map_err(|error| InterfaceError::new(&error))?;
        compiler
            .open_files(files)
            .map_err(|error| InterfaceError::new(&error))?;
        let named: Vec<&str> = compiler
            .files()
            .filter(|file| !file.is_import())
            .map(|file| file.name())
            .collect();
        let pool = compiler.descriptor_pool();
        let services = pool.services();
        let own = services.filter(|service| named.contains(&service.parent_file().name()));
        Ok(sorted(own))
    }

    /// The services of a descriptor set, as `protoc --descriptor_set_out --include_imports` writes it, sorted; those of
    /// imports, too, since a set does not tell which are.
    ///
    /// # Errors
    ///
    /// [`InterfaceError`] when it is none, or lacks an import.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Vec<Self>, InterfaceError> {
        if bytes.len() > MAX_DESCRIPTORS_SIZE_BYTES {
            let what = format!("it has more than {MAX_DESCRIPTORS_SIZE_BYTES} bytes");
            return Err(InterfaceError::new(&what));
        }
        let pool = DescriptorPool::decode(bytes).map_err(|error| InterfaceError::new(&error))?;
        Ok(sorted(pool.services()))
    }
}

fn sorted(services: impl Iterator<Item = ServiceDescriptor>) -> Vec<Service> {
    let mut services: Vec<_> = services.map(|service| Service::of(&service)).collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    services
}

impl Service {
    fn of(service: &ServiceDescriptor) -> Self {
        let methods = service.methods().map(|method| {
            let streams = method.is_client_streaming() || method.is_server_streaming();
            (method.name().to_owned(), Method { streams })
        });
        Self {
            name: service.full_name().to_owned(),
            methods: methods.collect(),
        }
    }
}
