import type { Metrics } from '../bus/reading/queries.ts'

/** SPEC 9, in Prometheus's text format. */
export function metricsText({ intents, deadLetters, keys }: Metrics): string {
  const lines = [
    '# HELP intent_bus_intents_total Total intents by status and namespace',
    '# TYPE intent_bus_intents_total gauge',
    // A namespace has no character that a label would have to escape (SPEC 4.1).
    ...intents.map(
      ({ status, namespace, count }) => `intent_bus_intents_total{status="${status}",namespace="${namespace}"} ${count}`
    ),
    '# HELP intent_bus_dead_letters_total Total dead-letter intents',
    '# TYPE intent_bus_dead_letters_total gauge',
    `intent_bus_dead_letters_total ${deadLetters}`,
    '# HELP intent_bus_tester_keys_total Total active tester keys',
    '# TYPE intent_bus_tester_keys_total gauge',
    `intent_bus_tester_keys_total ${keys}`
  ]
  return `${lines.join('\n')}\n`
}
