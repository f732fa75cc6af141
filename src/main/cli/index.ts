#!/usr/bin/env node
import { run } from './run.ts'

// Whoever reads the output may stop reading, as `head` does: that is no error, and nobody is left to tell it to.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}

process.exitCode = await run(process.argv.slice(2))
