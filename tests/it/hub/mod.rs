//! The Hub: downloads and the commands that use them. Everything happens on the loopback address.
mod commands;
mod download;
mod server;
mod url;
