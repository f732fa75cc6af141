import { methods, type CheckedInput, type MethodName, type Output } from '../../shared/control/contract.ts'
import { METHOD_RIGHTS } from '../../shared/control/method-rights.ts'
import type { ControlFailure, Envelope } from '../../shared/control/transport.ts'
import type { EventFrame } from '../../shared/control/event-frame.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../bus/clock.ts'
import { CallLimits } from './call-limits.ts'
import { frameFor } from './discretion.ts'
import type { Feed } from './feed.ts'
import { withoutRight, type Operator } from './operator.ts'

export { actorOf, adminAt, DESKTOP, KEY_RIGHTS, type Operator } from './operator.ts'

/** `gone`: nobody waits for the answer any more; long questions are then given up. */
export type Handlers = {
  readonly [M in MethodName]: (input: CheckedInput<M>, operator: Operator, gone: AbortSignal) => Promise<Output<M>> | Output<M>
}

/** The signal of whoever stays. */
const NEVER_GONE = new AbortController().signal

/** Refuses a call, naming the member of the input that is at fault. */
export class FieldError extends ProtocolError {
  readonly field: string

  constructor(field: string, error: ProtocolError) {
    super(error.code, error.message, error.retryAfter)
    this.field = field
  }
}

/** The one place where the control contract is checked and carried out, whatever carried the call here. */
export class Control {
  readonly #handlers: Handlers
  readonly #feed: Feed
  readonly #log: Log
  readonly #limits: CallLimits

  constructor(handlers: Handlers, feed: Feed, log: Log, clock: Clock) {
    this.#limits = new CallLimits(clock)
    this.#handlers = handlers
    this.#feed = feed
    this.#log = log
  }

  /** Carries out one call. Never rejects: a refusal is an envelope, and a fault of ours is one that says only that. */
  async call(operator: Operator, method: string, input: unknown, gone: AbortSignal = NEVER_GONE): Promise<Envelope> {
    let end: () => void
    try {
      end = this.#limits.begin(operator, method)
    } catch (error) {
      return refused(this.#failure(method, error))
    }
    try {
      return await this.#carryOut(operator, method, input, gone)
    } finally {
      end()
    }
  }

  /**
   * Hears what happens, as far as this operator may see it, until the answer is called. `onEnd`: the bus is closing, and no
   * more frames will come.
   */
  listen({ rights }: Operator, onFrame: (frame: EventFrame) => void, onEnd: () => void = () => {}): () => void {
    return this.#feed.listen((frame) => onFrame(frameFor(rights, frame)), onEnd)
  }

  async #carryOut(operator: Operator, method: string, input: unknown, gone: AbortSignal): Promise<Envelope> {
    if (!isMethod(method)) return refused({ code: 'not_found', message: `There is no method ${method.slice(0, 64)}.` })
    const right = METHOD_RIGHTS[method]
    if (!operator.rights.includes(right)) return refused({ code: 'forbidden', message: withoutRight(operator, right) })
    const checked = methods[method].safeParse(input)
    if (!checked.success) {
      const { path, message } = checked.error.issues[0]!
      const field = path.join('.')
      const where = field === '' ? 'The input' : field
      return refused({ code: 'invalid_request', message: `${where}: ${message}.`.replace(/\.\.$/, '.'), ...(field && { field }) })
    }
    try {
      const handler = this.#handlers[method] as (input: unknown, operator: Operator, gone: AbortSignal) => unknown
      return { ok: true, value: await handler(checked.data, operator, gone) }
    } catch (error) {
      if (gone.aborted) return refused({ code: 'request_timeout', message: 'Nobody waits for the answer any more.' })
      return refused(this.#failure(method, error))
    }
  }

  #failure(method: string, error: unknown): ControlFailure {
    if (error instanceof ProtocolError) {
      const { code, message } = error
      return error instanceof FieldError ? { code, message, field: error.field } : { code, message }
    }
    this.#log.error({ method, err: error }, 'a call of an operator failed')
    return { code: 'internal_error', message: 'Something went wrong inside the bus; its log says more.' }
  }
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name)
}

function refused(error: ControlFailure): Envelope {
  return { ok: false, error }
}
