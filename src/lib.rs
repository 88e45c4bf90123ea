//! Goals for messages, inside PostgreSQL.
#![deny(unsafe_code)]

pgrx::pg_module_magic!();
