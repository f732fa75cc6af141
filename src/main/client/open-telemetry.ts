import type { OpenTelemetryApi } from '../../shared/client/index.ts'

/** OpenTelemetry's API where the program has it installed. It is never installed for this. */
export async function findOpenTelemetry(): Promise<OpenTelemetryApi | undefined> {
  // A name that bundlers do not see: it need not be there.
  const name: string = '@opentelemetry/api'
  try {
    return (await import(name)) as OpenTelemetryApi
  } catch {
    return undefined
  }
}
