//! What log shippers talk to: they believe that it is Elasticsearch, or an OTLP receiver.

mod report;

pub use report::report;
