import { JsonText, type IntentClient, type IntentResult, type PublishedIntent, type PublishOptions } from '../../client/index.ts'
import { BACKOFF_BASE, DELAY, MAX_ATTEMPTS, PRIORITY } from '../../../shared/limits.ts'
import type { Arguments } from '../arguments/arguments.ts'
import { FILE_OPTION, readJsonInput } from '../arguments/json-input.ts'
import type { Context } from '../context.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit.ts'
import { printResult, readWait, WAIT_OPTION, WAIT_TIMEOUT_OPTION } from '../intents/result.ts'
import { cleanLine } from '../terminal/clean.ts'

export const NAMESPACE_OPTION = { name: 'namespace', value: 'name', summary: 'default where none is given' } as const

export const publish: Action = {
  name: 'publish',
  summary: 'publish an intent, and print its id or its result',
  usage: '<goal> [payload|-]',
  arity: { min: 1, max: 2 },
  options: [
    FILE_OPTION,
    NAMESPACE_OPTION,
    { name: 'visibility', choices: ['private', 'public'], summary: "private: for workers with this key; public: for everybody's" },
    { name: 'priority', value: 'number', summary: `${PRIORITY.min} to ${PRIORITY.max}, higher first (${PRIORITY.default})` },
    { name: 'delay', value: 'seconds', summary: 'not before then' },
    { name: 'max-attempts', value: 'count', summary: `${MAX_ATTEMPTS.min} to ${MAX_ATTEMPTS.max} (${MAX_ATTEMPTS.default})` },
    { name: 'backoff-base', value: 'seconds', summary: `the pause after the first attempt, then doubled (${BACKOFF_BASE.default})` },
    { name: 'target-worker', value: 'name', summary: 'only for the worker of this name' },
    { name: 'required-capability', value: 'capability', summary: 'only for workers that offer it' },
    { name: 'idempotency-key', value: 'key', summary: 'the same key publishes once within 24 hours' },
    WAIT_OPTION,
    WAIT_TIMEOUT_OPTION
  ],
  details: `
    The payload is JSON: as an argument, from standard input (-), or from --file; without one it is {}. Its numbers keep
    every digit. With --wait the result goes to standard output, and the id to standard error. Where the result cannot be
    had, --json prints what was published: an intent that goes on can be asked for later.`,
  examples: [`intent-bus publish greet '{"name":"Ada"}'`, `jq -n '{n: 1}' | intent-bus publish count - --wait --timeout 30`],

  async run(context) {
    const { args, output, signals } = context
    const wait = readWait(args)
    const options = readOptions(args)
    const payload = (await readJsonInput(context, args.positionals[1])) ?? new JsonText('{}')
    const client = context.client()
    const published = await client.publish(args.positionals[0]!, payload, { ...options, signal: signals.signal })
    if (!args.flag('wait') && wait === 0) {
      if (output.isJson) await output.json(published)
      else await output.line(cleanLine(published.id))
      return EXIT.done
    }
    output.note(`Published ${published.id}.`)
    await printResult(output, await resultOf(published, client, context, wait), wait)
    return EXIT.done
  }
}

/** Rejects where the result cannot be had; programs are told before what there is to ask for again. */
async function resultOf(
  published: PublishedIntent,
  client: IntentClient,
  { output, signals }: Context,
  wait: number
): Promise<IntentResult> {
  try {
    return await client.getResult(published.id, { wait, signal: signals.signal })
  } catch (error) {
    if (output.isJson) await output.json(published)
    throw error
  }
}

function readOptions(args: Arguments): PublishOptions {
  return {
    namespace: args.text('namespace'),
    visibility: args.text('visibility') as 'private' | 'public' | undefined,
    priority: args.wholeNumber('priority', PRIORITY),
    delay: args.seconds('delay', DELAY),
    maxAttempts: args.wholeNumber('max-attempts', MAX_ATTEMPTS),
    backoffBase: args.seconds('backoff-base', BACKOFF_BASE),
    targetWorker: args.text('target-worker'),
    requiredCapability: args.text('required-capability'),
    idempotencyKey: args.text('idempotency-key')
  }
}
