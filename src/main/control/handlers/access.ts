import { ProtocolError } from '../../../shared/errors.ts'
import type { Secret } from '../../secrets.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { FieldError, type Handlers, type Operator } from '../control.ts'

/** Keys, the main key, the password for browsers, and who is logged in. */
export function accessHandlers(deps: ControlDependencies) {
  const { bus, feed, mainKey, password } = deps

  /** All that a change of keys lets go stale. */
  function changed(): void {
    feed.noteChanged('keys')
    feed.noteStatus()
  }

  return {
    'keys.list': async () => {
      await bus.notesWritten()
      return bus.reader.ask('keys')
    },

    'keys.create': async ({ owner }) => {
      const { key, secret } = await bus.createKey(owner)
      feed.noteChanged('keys')
      return { id: key.id, owner: key.owner, secret }
    },

    'keys.rename': async ({ id, owner }) => {
      await bus.renameKey(id, owner)
      feed.noteChanged('keys')
      return null
    },

    'keys.impact': ({ id }) => bus.reader.ask('keyImpact', id),

    'keys.revoke': async ({ id }) => {
      await bus.revokeKey(id)
      feed.noteChanged('keys')
      return null
    },

    'keys.revealMain': async (input, operator) => {
      await confirm(operator, input.password)
      return { secret: await reveal(mainKey, 'main key', 'Rotate it to get a new one.') }
    },

    'keys.rotateMain': async (input, operator) => {
      await confirm(operator, input.password)
      refuseIfDecided(mainKey)
      const secret = await mainKey.rotate()
      bus.keys.setMain(mainKey.digest)
      bus.endWaits()
      changed()
      return { secret }
    },

    'access.revealPassword': async (input, operator) => {
      await confirm(operator, input.password)
      return { secret: await reveal(password, 'password', 'Set a new one.') }
    },

    /** Ends the sessions that the old password opened, but the one that changes it. */
    'access.changePassword': async ({ password: given, next }, operator) => {
      await confirm(operator, given)
      refuseIfDecided(password)
      await password.replace(next)
      await bus.sessions.endAll(operator.via === 'browser' ? operator.sessionId : undefined)
      changed()
      return null
    },

    'access.endSessions': async (_input, operator) => ({
      ended: await bus.sessions.endAll(operator.via === 'browser' ? operator.sessionId : undefined)
    })
  } satisfies Partial<Handlers>
}

/** A browser that was left open must not tell or change secrets: whoever sits there gives the password again. */
async function confirm(operator: Operator, password: string | undefined): Promise<void> {
  if (operator.via !== 'browser') return
  const refusal =
    password === undefined || password === ''
      ? 'Enter the password to see or change a secret.'
      : (await operator.isPassword(password))
        ? undefined
        : 'Wrong password.'
  if (refusal !== undefined) throw new FieldError('password', new ProtocolError('forbidden', refusal))
}

function refuseIfDecided({ decidedBy }: Secret): void {
  if (decidedBy === undefined) return
  throw new ProtocolError('invalid_request', `${decidedBy} decides this secret; change it there, or unset it and start again.`)
}

async function reveal(secret: Secret, what: string, cure: string): Promise<string> {
  const clear = await secret.reveal()
  if (clear !== undefined) return clear
  throw new ProtocolError('not_found', `The ${what} is not kept where this bus can read it. ${cure}`)
}
