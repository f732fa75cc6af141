/** Who may import whom: docs/architecture.md gives the reasons. */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'shared-stands-alone',
      comment: 'The protocol must run in browsers and other runtimes: no modules of node, nothing of the app.',
      severity: 'error',
      from: { path: '^src/shared' },
      to: { pathNot: '^src/shared|node_modules/zod/' }
    },
    {
      name: 'bus-knows-no-http',
      severity: 'error',
      from: { path: '^src/main/bus/' },
      to: { path: '^src/(main/(?!bus/)|renderer)|node_modules/(koa|@koa|electron|pino)|^(http|https|net|electron)$' }
    },
    {
      name: 'control-knows-no-carrier',
      comment: 'The contract is carried out in one way, whatever brought the call.',
      severity: 'error',
      from: { path: '^src/main/control/' },
      to: { path: '^src/main/(http/|desktop/|headless|start|serve|assemble)|node_modules/(koa|@koa|electron)/|^electron$' }
    },
    {
      name: 'interface-knows-the-contract',
      severity: 'error',
      from: { path: '^src/renderer/' },
      to: { path: '^src/main/' }
    },
    {
      name: 'http-knows-no-entry',
      severity: 'error',
      from: { path: '^src/main/http' },
      to: { path: '^src/main/(headless|start|serve|announce|secrets|data-directory|config|desktop)|node_modules/(electron|better-sqlite3)/|^electron$' }
    },
    {
      name: 'net-carries-bytes',
      comment: 'Addresses, ports and connections, whatever is asked over them.',
      severity: 'error',
      from: { path: '^src/main/net/' },
      to: { path: '^src/main/(?!net/)|node_modules/(koa|@koa|electron)/|^electron$' }
    },
    {
      name: 'lan-knows-no-carrier',
      comment: 'HTTP and the contract tell and change how the bus is shared, never the other way round.',
      severity: 'error',
      from: { path: '^src/main/(lan/|announcer[.]ts$)' },
      to: { path: '^src/main/(http/|control/|desktop/|headless|start|serve|assemble|settings)|node_modules/(koa|@koa|electron|better-sqlite3)/|^electron$' }
    },
    {
      name: 'keepers-know-no-carrier',
      comment: 'What keeps the data safe is asked by HTTP, the contract and the start, never the other way round.',
      severity: 'error',
      from: { path: '^src/main/(backups|storage|transfer|doctor)/' },
      to: { path: '^src/main/(http/|control/|desktop/|headless|start[.]ts|serve[.]ts|assemble)|node_modules/(koa|@koa|electron|better-sqlite3)/|^electron$' }
    },
    {
      name: 'one-door-to-sqlite',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/main/bus/store/database[.]ts$' },
      to: { path: 'node_modules/better-sqlite3' }
    },
    {
      name: 'one-door-to-certificates',
      comment: 'The library is large, patches globals, and is loaded when something is signed.',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/main/lan/certificate[.]ts$' },
      to: { path: 'node_modules/(@peculiar|reflect-metadata)/' }
    },
    {
      name: 'only-desktop-knows-electron',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/main/(desktop/|index[.]ts$|start[.]ts$)' },
      to: { path: 'node_modules/electron/|^electron$' }
    },
    {
      name: 'desktop-decides-nothing',
      comment: 'The shell asks the bus by the control contract; only its thread runs the bus itself.',
      severity: 'error',
      from: { path: '^src/main/(desktop/|index[.]ts$)' },
      to: { path: '^src/main/(bus/(?!(clock|memory)[.]ts$)|http/|control/|lan/|backups/|storage/|transfer/|doctor/|serve[.]ts$|assemble[.]ts$)' }
    },
    {
      name: 'bus-thread-without-electron',
      comment: 'There is no electron in a thread.',
      severity: 'error',
      from: { path: '^src/main/bus-thread[.]ts$' },
      to: { path: 'node_modules/electron/|^electron$', reachable: true }
    },
    {
      name: 'preload-stands-alone',
      comment: 'A preload script in the sandbox is one file: of the app it may import types only.',
      severity: 'error',
      from: { path: '^src/main/desktop/preload[.]ts$' },
      to: { pathNot: 'node_modules/electron/|^electron$', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'client-stands-alone',
      comment: 'The SDK and the command line run on machines that have no bus.',
      severity: 'error',
      from: { path: '^src/main/(client|cli)/' },
      to: { pathNot: '^src/(shared|main/(client|cli))/', dependencyTypesNot: ['core'] }
    },
    { name: 'not-to-tests', severity: 'error', from: { path: '^src' }, to: { path: '^test' } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    parser: 'tsc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] }
  }
}
