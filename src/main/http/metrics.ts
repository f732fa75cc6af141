import type { Metrics } from '../bus/reading/queries.ts'
import type { CommitCounts } from '../bus/store/commits.ts'

/** SPEC 9 and how much each commit gathers, in Prometheus's text format. */
export function metricsText({ intents, deadLetters, keys }: Metrics, { commits, operations }: CommitCounts): string {
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
    `intent_bus_tester_keys_total ${keys}`,
    '# HELP intent_bus_commits_total Transactions written to disk since the start',
    '# TYPE intent_bus_commits_total counter',
    `intent_bus_commits_total ${commits}`,
    '# HELP intent_bus_operations_total Operations in these transactions',
    '# TYPE intent_bus_operations_total counter',
    `intent_bus_operations_total ${operations}`
  ]
  return `${lines.join('\n')}\n`
}
