import type { IncomingMessage } from 'node:http'
import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import { ProtocolError } from '../../shared/errors.ts'
import type { Random } from '../bus/random.ts'
import type { Control } from '../control/control.ts'
import type { Pairing } from '../lan/pairing/pairing.ts'
import type { Log } from '../log.ts'
import { Authentication, type AuthenticationOptions } from './authenticate.ts'
import type { Visitors } from '../net/http-server.ts'
import { bare, CONTROL_PATH, exchange, refusal, type Exchange, type Reply, type State } from './exchange.ts'
import { FailedLogins } from './failed-logins.ts'
import { guard, type GuardOptions } from './guard.ts'
import { CLIENT_PACKAGE_PATH, type ClientPackage } from './client-package.ts'
import type { InterfaceFiles } from './interface-files.ts'
import { ROOT_CERTIFICATE_PATH, rootCertificate } from './root-certificate.ts'
import { adminRoutes } from './routes/admin.ts'
import { clientRoutes, INTERFACE_PATH } from './routes/client.ts'
import { controlRoutes } from './routes/control.ts'
import { pairRoutes } from './routes/pair.ts'

export interface AppOptions extends GuardOptions, Omit<AuthenticationOptions, 'failedKeys' | 'failedLogins'> {
  readonly random: Random
  readonly log: Log
  readonly allowTokenless: boolean
  readonly isClosing: (req: IncomingMessage) => boolean
  readonly visitorsOf: (req: IncomingMessage) => Visitors | undefined
  readonly control: Control
  readonly pairing: Pairing
  /** The built interface; its `index.html` and all that this loads. */
  readonly interfaceFiles: InterfaceFiles
  readonly clientPackage: ClientPackage
  /** The certificate of the bus's root; undefined while it has none. */
  readonly rootPem: () => string | undefined
}

type Route = (ctx: Exchange, param: string) => Reply | Promise<Reply>

/** The whole HTTP face of a bus, as a Koa application. */
export function createApp(options: AppOptions): Koa<State> {
  const failures = (): FailedLogins => new FailedLogins(options.clock)
  const authentication = new Authentication({ ...options, failedKeys: failures(), failedLogins: failures() })
  const client = clientRoutes({ ...options, authentication })
  const admin = adminRoutes({ ...options, authentication })
  const control = controlRoutes({ ...options, authentication })
  const pair = pairRoutes({ ...options, failedCodes: failures() })
  const { interfaceFiles, clientPackage, rootPem } = options
  const app = new Koa<State>()
  // Else koa writes whatever a broken connection throws to standard error, in lines of its own.
  app.on('error', (err: NodeJS.ErrnoException) => {
    options.log[err.syscall === undefined ? 'error' : 'debug']({ err }, 'a reply could not be sent')
  })
  app.use(exchange(options))
  app.use(guard(options))
  app.use(
    hotRoutes({
      '/intent': client.intent,
      '/claim': client.claim,
      '/fulfill/': client.fulfill,
      '/fail/': client.fail,
      '/extend_claim/': client.extendClaim
    })
  )
  const router = new Router<State>({ strict: true, sensitive: true })
  const routes: [method: 'get' | 'post', path: string, route: Route][] = [
    ['get', '/', client.root],
    ['get', '/health', client.health],
    ['post', '/intent', client.intent],
    ['post', '/claim', client.claim],
    ['post', '/extend_claim/:id', client.extendClaim],
    ['post', '/fulfill/:id', client.fulfill],
    ['post', '/fail/:id', client.fail],
    ['get', '/result/:id', client.result],
    ['get', '/status/:id', client.status],
    ['post', '/set/:key', client.set],
    ['get', '/get/:key', client.get],
    ['get', '/events', client.events],
    ['get', '/pair', pair.shown],
    ['post', '/pair', pair.ask],
    ['post', '/pair/wait', pair.wait],
    ['get', CLIENT_PACKAGE_PATH, () => clientPackage.reply()],
    ['get', ROOT_CERTIFICATE_PATH, (ctx) => rootCertificate(ctx, rootPem())],
    ['get', '/admin/dashboard', admin.dashboard],
    ['post', '/admin/generate_key', admin.generateKey],
    ['post', '/admin/revoke_key', admin.revokeKey],
    ['post', '/admin/purge', admin.purge],
    ['post', '/admin/cleanup', admin.cleanup],
    ['post', '/admin/pause', admin.pause],
    ['post', '/admin/resume', admin.resume],
    ['get', '/admin/intents/:id', admin.intent],
    ['post', '/admin/intents/:id/cancel', admin.cancel],
    ['post', '/admin/intents/:id/retry', admin.retry],
    ['get', '/admin/dead', admin.deadLetters],
    ['get', '/admin/dead/:id', admin.deadLetter],
    ['get', '/metrics', admin.metrics],
    ['get', '/admin', () => bare(303, ['Location', INTERFACE_PATH])],
    ['get', INTERFACE_PATH, (ctx) => interfaceFiles.reply(ctx, 'index.html')],
    ['get', `${INTERFACE_PATH}assets/:name`, (ctx, name) => interfaceFiles.reply(ctx, `assets/${name}`)],
    ['post', `${CONTROL_PATH}login`, control.login],
    ['post', `${CONTROL_PATH}logout`, control.logout],
    ['get', `${CONTROL_PATH}session`, control.session],
    ['get', `${CONTROL_PATH}events`, control.events],
    ['post', `${CONTROL_PATH}pair`, pair.browserAsk],
    ['post', `${CONTROL_PATH}pair/wait`, pair.browserWait],
    ['post', `${CONTROL_PATH}:name`, control.call]
  ]
  for (const [method, path, route] of routes) {
    router[method](path, async (ctx) => {
      const { id, key, name } = ctx.params as { id?: string; key?: string; name?: string }
      ctx.state.reply = await route(ctx as unknown as Exchange, id ?? key ?? name ?? '')
    })
  }
  app.use(asGuarded)
  app.use(router.routes())
  app.use(wrongMethod(router))
  return app
}

/** The router reads the target by koa's parser, and not as the guard did: it must have come to the same path. */
const asGuarded: Middleware<State> = (ctx, next) => {
  if (ctx.path !== ctx.state.path) throw new ProtocolError('invalid_path', 'This request target can be read in several ways.')
  return next()
}

/**
 * The requests that workers make all the time, found without a router: matching the whole table costs as much as the
 * rest of such a request. A name that ends in a slash takes an id behind it.
 */
function hotRoutes(table: Readonly<Record<string, Route>>): Middleware<State> {
  const routes = new Map(Object.entries(table))
  return async (context, next) => {
    const ctx = context as unknown as Exchange
    const { path } = ctx.state
    const slash = path.indexOf('/', 1) + 1
    const route = ctx.req.method === 'POST' ? routes.get(slash === 0 ? path : path.slice(0, slash)) : undefined
    const param = slash === 0 ? '' : path.slice(slash)
    const isHot = route !== undefined && (slash === 0 || /^[0-9a-f]+$/.test(param))
    if (!isHot) return next()
    ctx.state.reply = await route(ctx, param)
  }
}

/** 405 for a path that knows other methods, and the answer to a plain OPTIONS. */
function wrongMethod(router: Router<State>): Middleware<State> {
  return (context) => {
    const ctx = context as unknown as Exchange
    const allowed = [...new Set(router.match(ctx.state.path, '').path.flatMap(({ methods }) => methods))]
    if (allowed.length === 0) return
    const allow = ['Allow', [...allowed, 'OPTIONS'].join(', ')]
    ctx.state.reply =
      ctx.req.method === 'OPTIONS'
        ? bare(204, allow)
        : refusal(new ProtocolError('method_not_allowed', `This address does not take ${ctx.req.method}.`), allow)
  }
}
