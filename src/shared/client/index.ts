/** The client of an intent bus, for every runtime with fetch and web cryptography: browsers, Deno, Bun and Node. */
export type { ClaimedIntent, IntentResult, IntentState, IntentStatus, PublishedIntent } from './answers.ts'
export { IntentClient, type ListenOptions } from './client.ts'
export {
  IntentBusAuthError,
  IntentBusError,
  IntentBusNetworkError,
  IntentBusRateLimitError,
  IntentFailedError,
  LeaseLostError,
  WaitTimeoutError
} from './errors.ts'
export type { EventGap, IntentChange, IntentEvent } from './events.ts'
export { ExactNumber, JsonText, readJson, writeJson, type NumberStyle } from './exact-json.ts'
export { TextResult, type Handler, type HandlerContext, type Outcome } from './handler.ts'
export type { OpenTelemetryApi, TracingSource } from './open-telemetry.ts'
export type {
  CallOptions,
  ClaimOptions,
  ClientOptions,
  EventsOptions,
  FulfillOptions,
  PublishAndWaitOptions,
  PublishOptions,
  ResultOptions,
  SetOptions
} from './options.ts'
export { SettledIds, type SettledEntry, type SettledIdsOptions, type SettledStore } from './settled-ids.ts'
export type { StopOptions, Worker, WorkerOptions } from './worker.ts'
