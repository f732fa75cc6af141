import type { Bus } from './bus/bus.ts'
import type { Built } from './built.ts'
import type { Clock } from './bus/clock.ts'
import { digestOf } from './bus/keys.ts'
import type { Random } from './bus/random.ts'
import type { Config } from './config.ts'
import type { Control } from './control/control.ts'
import { createControl } from './control/create.ts'
import type { ControlDependencies } from './control/dependencies.ts'
import { Feed } from './control/feed.ts'
import { busStatus } from './control/status.ts'
import type { Host } from './host.ts'
import { createApp } from './http/app.ts'
import { ClientPackage } from './http/client-package.ts'
import { HostNames } from './http/hosts.ts'
import { InterfaceFiles } from './http/interface-files.ts'
import { Listener } from './listener.ts'
import type { Log } from './log.ts'
import type { Secret } from './secrets.ts'
import type { SettingsFile } from './settings.ts'

/** A bus and all that decides how it is reached. */
export interface Parts {
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly config: Config
  readonly settings: SettingsFile
  readonly host: Host
  readonly log: Log
  readonly mainKey: Secret
  readonly password: Secret
  readonly built: Built
  /** Hears where the bus listens, whenever that changes. */
  announce(listener: Listener): void
}

/** The faces of a bus: its listener, which does not listen yet, and the control contract. */
export interface Faces {
  readonly listener: Listener
  readonly feed: Feed
  readonly control: Control
}

/** Puts HTTP and the control contract over a bus. */
export function assemble(parts: Parts): Faces {
  const { bus, clock, random, config, settings, host, log, mainKey, password } = parts
  bus.keys.setMain(mainKey.digest)
  const listener = new Listener(
    config.host,
    (req, res) => handle(req, res),
    (err) => log.error({ err }, 'a connection could not be accepted')
  )
  const feed: Feed = new Feed(bus, clock, () => busStatus(deps))
  const deps: ControlDependencies = {
    bus,
    clock,
    config,
    feed,
    host,
    listener,
    settings,
    mainKey,
    password,
    since: clock.now(),
    announce: () => parts.announce(listener)
  }
  const control = createControl(deps, log)
  const app = createApp({
    bus,
    control,
    clock,
    random,
    log,
    hosts: new HostNames(config.host, config.allowedHosts),
    secrets: {
      adminToken: config.adminSecret && digestOf(config.adminSecret),
      get dashboardPassword() {
        return password.digest
      },
      metricsToken: config.metricsToken && digestOf(config.metricsToken)
    },
    allowedOrigins: config.allowedOrigins,
    trustProxy: config.trustProxy,
    enforceHttps: config.enforceHttps,
    requireSignatures: () => settings.values.requireSignatures,
    maintenanceMode: () => settings.values.maintenance,
    allowTokenless: config.allowTokenlessWorkers,
    interfaceFiles: new InterfaceFiles(parts.built.interfaceDirectory),
    clientPackage: new ClientPackage(parts.built.clientPackage),
    isClosing: (req) => listener.isLeaving(req.socket.localPort)
  })
  const handle = app.callback()
  return { listener, feed, control }
}
