/** The client of an intent bus for Node, Deno and Bun: the one for browsers, and what needs a file system or TLS of its own. */
export * from '../../shared/client/index.ts'
export { IntentClient, type ClientOptions } from './client.ts'
export { findPairedBus, pairedBusesFile, readPairedBuses, type PairedBus, type PairedBuses } from './paired-buses.ts'
export { SettledFile, type SettledFileOptions } from './settled-file.ts'
export { tlsFetch, type TlsOptions } from './tls-fetch.ts'
