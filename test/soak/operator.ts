import { ask } from '../support/http-client.ts'

const QUESTIONS: readonly (readonly [method: string, input: object])[] = [
  ['overview.get', {}],
  ['intents.list', { filter: 'goal:soak.*', order: 'newest', limit: 50 }],
  ['intents.count', { filter: 'status:fulfilled' }],
  ['workers.list', {}]
]

/** An operator who looks at the bus once a second. The answer stops it. */
export function watch(url: () => string, password: () => string): () => Promise<void> {
  let isOver = false
  const task = (async () => {
    for (let i = 0; !isOver; i++) {
      const [method, input] = QUESTIONS[i % QUESTIONS.length]!
      const Authorization = `Basic ${Buffer.from(`admin:${password()}`).toString('base64')}`
      // Questions asked while the bus is away get no answer.
      await ask(url(), { method: 'POST', path: `/admin/control/${method}`, headers: { Authorization }, body: input }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  })()
  return () => {
    isOver = true
    return task
  }
}

/** How many intents of the soak the bus has, whatever became of them. */
export async function countIntents(url: string, password: string): Promise<number> {
  const Authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  const answer = await ask(url, { method: 'POST', path: '/admin/control/intents.count', headers: { Authorization }, body: { filter: 'goal:soak.*' } })
  return (answer.json as { value: { count: number } }).value.count
}
