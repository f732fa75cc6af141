import type { CheckedInput } from '../../../shared/control/contract.ts'
import type { AuditEvent } from '../../../shared/control/network-views.ts'
import type { Settings, SettingName } from '../../../shared/control/settings.ts'
import { changeText } from '../../../shared/control/settings-text.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import type { SettingsView } from '../../../shared/control/status-views.ts'
import type { Sharing } from '../../lan/sharing.ts'
import { ListenError } from '../../net/listen-error.ts'
import { oneAtATime } from '../../one-at-a-time.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { actorOf, FieldError, type Handlers, type Operator } from '../control.ts'
import { statusFor } from '../discretion.ts'
import { busStatus } from '../status.ts'

/** The bus as a whole: its status, settings and switches. */
export function settingsHandlers(deps: ControlDependencies) {
  const { bus, feed, host, listener, safety, settings, sharing } = deps

  function view(): SettingsView {
    const { values, fixed } = settings
    return { values, fixed, unavailable: host.unavailableSettings, logFile: host.logFile }
  }

  function applyTerms(): void {
    bus.setRetention(settings.values)
    bus.setIntentLifetime(settings.values.intentLifetimeHours)
  }

  /** Puts something into the audit trail that an operator did. */
  function note(operator: Operator, event: AuditEvent, subject = '', detail = ''): void {
    bus.audit.note({ event, actor: actorOf(operator), address: operator.address, subject, detail })
  }

  function noteChange(operator: Operator, before: Settings, now: Settings): void {
    const names = (Object.keys(now) as SettingName[]).filter((name) => now[name] !== before[name])
    if (names.length > 0) note(operator, 'settings.changed', names.join(', '), changeText(before, now))
    if (now.share !== before.share) note(operator, now.share ? 'sharing.started' : 'sharing.stopped', '', now.share ? outcomeOf(sharing) : '')
  }

  applyTerms()

  return {
    'status.get': (_input, { rights }) => statusFor(rights, busStatus(deps)),

    'settings.get': () => view(),

    /** What can fail comes first, so that a refused change leaves everything as it was. */
    'settings.change': oneAtATime(async (input: CheckedInput<'settings.change'>, operator: Operator) => {
      const change = given(input)
      const next = settings.changed(change)
      const before = settings.values
      if (change.port !== undefined) await asField('port', () => listener.listen(next.port))
      try {
        await asField('sharePort', () => sharing.apply(next))
        await host.applySettings(next)
        settings.save(change)
      } catch (error) {
        if (change.port !== undefined) await listener.listen(before.port).catch(() => {})
        await sharing.apply(before).catch(() => {})
        await host.applySettings(before).catch(() => {})
        throw error instanceof ProtocolError ? error : new ProtocolError('invalid_request', (error as Error).message)
      }
      // Who waits was let in by the settings before.
      bus.endWaits()
      deps.announce()
      applyTerms()
      noteChange(operator, before, next)
      feed.noteStatus()
      feed.noteChanged('settings')
      return view()
    }),

    'bus.pause': async ({ paused }, operator) => {
      await bus.setPaused(paused)
      note(operator, paused ? 'bus.paused' : 'bus.resumed')
      feed.noteStatus()
      return null
    },

    'bus.cleanup': async () => {
      return { ...(await bus.cleanup()) }
    },

    'bus.purge': async ({ namespace }, operator) => {
      await bus.purge(namespace)
      note(operator, 'bus.purged', namespace ?? 'all namespaces')
      return null
    },

    /** The bus runs; what may be left to start are its listeners. */
    'bus.start': async ({ recovery }, operator) => {
      if (recovery !== undefined) {
        if (safety.damage === null) throw new ProtocolError('invalid_request', 'The database is not damaged, so that there is nothing to recover.')
        safety.recover(recovery, { actor: actorOf(operator), address: operator.address })
        return busStatus(deps)
      }
      await asField('port', () => listener.listen(settings.values.port))
      await sharing.look()
      deps.announce()
      feed.noteStatus()
      return busStatus(deps)
    },

    /** Not for browsers, which may be anywhere: it would open on the bus's screen. */
    'desktop.show': async ({ what }, { via }) => {
      if (host.shell === 'desktop' && via !== 'desktop') throw new ProtocolError('forbidden', 'Only the window of the app itself can open this.')
      await host.show(what)
      return null
    }
  } satisfies Partial<Handlers>
}

/** What came of turning sharing on, for the audit trail. */
function outcomeOf(sharing: Sharing): string {
  const { state, problem, urls } = sharing.view()
  if (state === 'listening') return `listens at ${urls[0]}`
  return state === 'waiting' ? 'waits for a network' : (problem ?? '')
}

/** Without the members that are there but undefined. */
function given(input: CheckedInput<'settings.change'>): Partial<Settings> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
}

async function asField(field: string, listen: () => Promise<void>): Promise<void> {
  try {
    await listen()
  } catch (error) {
    if (error instanceof ListenError) throw new FieldError(field, new ProtocolError('invalid_request', error.message))
    throw error
  }
}
