import { dirname, join } from 'node:path'
import { APP_VERSION } from './app-info.ts'
import type { Safety } from './backups/safety.ts'
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
import { isLeaving, isShared, visitorsOf, type RequestListener } from './net/http-server.ts'
import { SignatureFailures } from './http/signatures/failures.ts'
import { IdentityStore } from './lan/identity-store.ts'
import { systemNetwork, type Network } from './lan/network.ts'
import { Pairing } from './lan/pairing/pairing.ts'
import { Sharing } from './lan/sharing.ts'
import { Listener } from './net/listener.ts'
import type { Log } from './log.ts'
import type { Secret } from './secrets.ts'
import type { SettingsFile } from './settings.ts'
import { Exports } from './transfer/exports.ts'
import { Imports } from './transfer/imports.ts'
import { leastRoom, StorageWatch } from './storage/storage-watch.ts'

/** The certificate that users copy to other machines. */
const ROOT_FILE = 'intent-bus-root.pem'
/** For files on their way in. */
const IMPORTS_FOLDER = 'imports'
const LEAF_FILE = 'sharing-leaf.json'

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
  readonly safety: Safety
  /** What a careful user wants to read of this start, beside what the host says. */
  readonly notices?: readonly string[]
  /** Sharing does not come up by itself in this start. */
  readonly keepsSharingOff?: boolean
  /** Default: the system's. */
  readonly network?: Network
  /** Hears where the bus listens, whenever that changes. */
  announce(listener: Listener, sharing: Sharing): void
}

/** The faces of a bus: its listeners, which do not listen yet, and the control contract. */
export interface Faces {
  readonly listener: Listener
  readonly sharing: Sharing
  readonly pairing: Pairing
  readonly feed: Feed
  readonly control: Control
  /** Does not look by itself until it is told to. */
  readonly storage: StorageWatch
  readonly imports: Imports
}

/** Puts HTTP and the control contract over a bus. */
export function assemble(parts: Parts): Faces {
  const { bus, clock, random, config, settings, host, log, mainKey, password } = parts
  bus.keys.setMain(mainKey.digest)
  bus.audit.note({ event: 'bus.started', actor: host.shell, address: '', detail: APP_VERSION })
  const signatureFailures = new SignatureFailures(bus.keys, clock)
  const serveRequest: RequestListener = (req, res) => handle(req, res)
  const listener = new Listener(config.host, serveRequest, {
    onError: (err) => log.error({ err }, 'a connection could not be accepted')
  })
  const sharing: Sharing = new Sharing(
    {
      clock,
      log,
      network: parts.network ?? systemNetwork,
      store: new IdentityStore({ vault: host.vault, rootPath: join(config.dataDir, ROOT_FILE), leafPath: join(config.dataDir, LEAF_FILE) }),
      listener,
      handle: serveRequest,
      announcerEntry: parts.built.announcerEntry,
      isKeptOff: parts.keepsSharingOff ?? false,
      shareVariable: settings.fixed.share,
      onChange: () => {
        parts.announce(listener, sharing)
        pairing.noteSharing()
        feed.noteStatus()
        feed.noteChanged('sharing')
      },
      onArrival: () => feed.noteChanged('sharing')
    },
    settings.values
  )
  const feed: Feed = new Feed(bus, clock, () => busStatus(deps))
  const storage = watchStorage(parts, () => {
    // A full disk may have kept it from being said before.
    parts.announce(listener, sharing)
    feed.noteStatus()
  })
  const pairing: Pairing = new Pairing({
    bus,
    clock,
    random,
    sharing,
    onChange: (what) => {
      feed.noteChanged(what === 'waiting' ? 'pairing' : what)
      if (what === 'waiting') feed.noteStatus()
    }
  })
  const imports = new Imports({
    bus,
    clock,
    folder: join(config.dataDir, IMPORTS_FOLDER),
    mainDigest: () => mainKey.digest,
    settings: () => settings.values,
    freeBytes: async () => (await leastRoom([config.dataDir, dirname(config.databasePath)]))?.free ?? null,
    onChange: () => feed.noteChanged('transfer'),
    onError: (err) => log.error({ err }, 'an import failed')
  })
  const deps: ControlDependencies = {
    bus,
    clock,
    config,
    feed,
    host,
    notices: [...(parts.notices ?? []), ...host.notices],
    listener,
    sharing,
    pairing,
    signatureFailures,
    settings,
    mainKey,
    password,
    storage,
    safety: parts.safety,
    exports: new Exports(bus.reader, clock),
    imports,
    since: clock.now(),
    announce: () => parts.announce(listener, sharing)
  }
  const control = createControl(deps, log)
  const app = createApp({
    bus,
    control,
    pairing,
    clock,
    random,
    log,
    signatureFailures,
    hosts: new HostNames(config.host, config.allowedHosts, () => sharing.hostNames),
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
    rootPem: () => sharing.identity?.rootPem,
    isClosing: isLeaving,
    visitorsOf,
    isShared
  })
  const handle = app.callback()
  return { listener, sharing, pairing, feed, control, storage, imports }
}

/** Says in the log what becomes of the storage; `onChange` tells it to operators. */
function watchStorage({ bus, clock, config, settings, log }: Parts, onChange: () => void): StorageWatch {
  const { dataDir, databasePath } = config
  const storage = new StorageWatch({
    bus,
    clock,
    dataDir,
    databasePath,
    maxMegabytes: () => settings.values.maxDatabaseMegabytes,
    onChange({ state, problem }) {
      if (problem === null) log.info('the storage is fine again')
      else if (state === 'low' || state === 'overfull') log.warn(problem)
      else log.error(problem)
      onChange()
    }
  })
  bus.onStorage(() => void storage.look())
  return storage
}
