import { limitsText } from '../../../shared/control/limits-text.ts'
import type { AuditEvent, SessionView } from '../../../shared/control/network-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import type { AuditNote } from '../../bus/audit.ts'
import type { Key } from '../../bus/keys.ts'
import type { Session } from '../../bus/sessions.ts'
import type { Secret } from '../../secrets.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { actorOf, FieldError, type Handlers, type Operator } from '../control.ts'
import { whoIs } from '../operator.ts'

/** Keys, the main key, the password for browsers, who is logged in, and what happened to all of these. */
export function accessHandlers(deps: ControlDependencies) {
  const { bus, feed, mainKey, password, signatureFailures } = deps

  /** Puts something into the audit trail that an operator did. */
  function note(operator: Operator, event: AuditEvent, subject = '', detail = ''): void {
    bus.audit.note(noteOf(operator, event, subject, detail))
  }

  return {
    'keys.list': async () => {
      await bus.notesWritten()
      return bus.reader.ask('keys')
    },

    'keys.create': async ({ owner, ...limits }, operator) => {
      const created = (key: Key): AuditNote => noteOf(operator, 'key.created', key.id, `${owner}: ${limitsText(key.limits)}`)
      const { key, secret } = await asField('scope', () => bus.createKey(owner, limits, created))
      return { id: key.id, owner: key.owner, secret }
    },

    'keys.rename': async ({ id, owner }, operator) => {
      await bus.renameKey(id, owner)
      note(operator, 'key.changed', id, `name ${owner}`)
      return null
    },

    'keys.limit': async ({ id, ...limits }, operator) => {
      await asField('scope', () => bus.limitKey(id, limits))
      note(operator, 'key.changed', id, limitsText(limits))
      return null
    },

    'keys.impact': async ({ id }) => {
      await bus.notesWritten()
      return bus.reader.ask('keyImpact', id)
    },

    'keys.revoke': async ({ id }, operator) => {
      const owner = bus.keys.byId(id)?.owner
      note(operator, 'key.revoked', await bus.revokeKey(id), owner)
      return null
    },

    'keys.revealMain': async (input, operator) => {
      await confirm(operator, input.password)
      const secret = await reveal(mainKey, 'main key', 'Rotate it to get a new one.')
      note(operator, 'secret.revealed', 'main key')
      return { secret }
    },

    'keys.rotateMain': async (input, operator) => {
      await confirm(operator, input.password)
      refuseIfDecided(mainKey)
      const secret = await mainKey.rotate()
      bus.keys.setMain(mainKey.digest)
      bus.endWaits()
      note(operator, 'key.rotated', 'main')
      feed.noteChanged('keys')
      feed.noteStatus()
      return { secret }
    },

    'access.whoami': (_input, operator) => whoIs(operator),

    'access.revealPassword': async (input, operator) => {
      await confirm(operator, input.password)
      const secret = await reveal(password, 'password', 'Set a new one.')
      note(operator, 'secret.revealed', 'password')
      return { secret }
    },

    /** Ends all sessions, those of paired devices too, but the one that changes it: whoever fears a guest wants nobody left. */
    'access.changePassword': async ({ password: given, next }, operator) => {
      await confirm(operator, given)
      refuseIfDecided(password)
      await password.replace(next)
      await bus.sessions.endAll(sessionOf(operator))
      note(operator, 'password.changed')
      feed.noteStatus()
      return null
    },

    'access.endSessions': async (_input, operator) => {
      const ended = await bus.sessions.endAll(sessionOf(operator))
      if (ended > 0) note(operator, 'session.ended', 'all others', String(ended))
      return { ended }
    },

    'sessions.list': (_input, operator) => bus.sessions.list().map((session) => toView(session, sessionOf(operator))),

    'sessions.end': async ({ id }, operator) => {
      const session = bus.sessions.byId(id)
      if (session === undefined) throw new ProtocolError('not_found', 'This session is over already.')
      await bus.sessions.end(id)
      note(operator, 'session.ended', nameOf(session))
      return null
    },

    'signatures.failures': () => signatureFailures.list(),

    'audit.list': async ({ before, limit }) => {
      await bus.notesWritten()
      return bus.reader.ask('audit', before, limit)
    }
  } satisfies Partial<Handlers>
}

function noteOf(operator: Operator, event: AuditEvent, subject: string, detail: string): AuditNote {
  return { event, actor: actorOf(operator), address: operator.address, subject, detail }
}

function sessionOf(operator: Operator): string | undefined {
  return operator.via === 'browser' ? operator.sessionId : undefined
}

function nameOf({ name, agent }: Session): string {
  return name ?? agent
}

function toView(session: Session, yours: string | undefined): SessionView {
  const { id, isPaired, rights, address, agent, createdAt, lastUsedAt, expiresAt } = session
  return { id, name: nameOf(session), isPaired, isYours: id === yours, rights, address, agent, createdAt, lastUsedAt, expiresAt }
}

/** Limits that contradict each other are the fault of a member of the input. */
async function asField<T>(field: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'invalid_scope') throw new FieldError(field, error)
    throw error
  }
}

/** A browser that was left open must not tell or change secrets: whoever sits there gives the password again. */
export async function confirm(operator: Operator, password: string | undefined): Promise<void> {
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
