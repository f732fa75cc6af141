import { expect, test } from 'vitest'
import { ADMIN_TOKEN, BASIC, METRICS_TOKEN, TestServer } from '../support/test-server.ts'
import { claim, DAY, deadIntent, fulfill, lease, refusal, refusalWithMessage, SPEC_HEADERS } from './steps.ts'

const AS_READER = { path: '/metrics', headers: { Authorization: `Bearer ${METRICS_TOKEN}` } }

test('an empty bus has its dead letters and keys at zero', async () => {
  await using server = await TestServer.start()
  const answer = await server.ask(AS_READER)
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^text\/plain\b/)
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
  expect(answer.text).toContain(`# HELP intent_bus_intents_total Total intents by status and namespace
# TYPE intent_bus_intents_total gauge
# HELP intent_bus_dead_letters_total Total dead-letter intents
# TYPE intent_bus_dead_letters_total gauge
intent_bus_dead_letters_total 0
# HELP intent_bus_tester_keys_total Total active tester keys
# TYPE intent_bus_tester_keys_total gauge
intent_bus_tester_keys_total 0
`)
})

test('intents are counted by status and namespace', async () => {
  await using server = await TestServer.start()
  await deadIntent(server)
  await fulfill(server, await lease(server))
  await lease(server)
  for (let i = 0; i < 3; i++) await server.publish()
  await server.publish({ namespace: 'my-ns' })
  const samples = (await server.ask(AS_READER)).text.split('\n').filter((line) => /^intent_bus_(intents|dead|tester)/.test(line))
  expect(samples.filter((line) => !/ 0$/.test(line)).toSorted()).toEqual([
    'intent_bus_dead_letters_total 1',
    'intent_bus_intents_total{status="claimed",namespace="default"} 1',
    'intent_bus_intents_total{status="dead",namespace="default"} 1',
    'intent_bus_intents_total{status="fulfilled",namespace="default"} 1',
    'intent_bus_intents_total{status="open",namespace="default"} 3',
    'intent_bus_intents_total{status="open",namespace="my-ns"} 1'
  ])
})

test('the numbers follow leases that end', async () => {
  await using server = await TestServer.start()
  await lease(server)
  await server.publish({ max_attempts: 1 })
  await claim(server)
  await server.clock.advance(60)
  const { text } = await server.ask(AS_READER)
  expect(text).toContain('intent_bus_intents_total{status="open",namespace="default"} 1\n')
  expect(text).toContain('intent_bus_intents_total{status="dead",namespace="default"} 1\n')
  expect(text).not.toMatch(/status="claimed",namespace="default"} [1-9]/)
})

test('an intent that has left the queue is counted no more', async () => {
  await using server = await TestServer.start()
  await server.publish()
  await server.clock.advance(DAY)
  expect((await server.ask(AS_READER)).text).not.toMatch(/^intent_bus_intents_total.* [1-9]/m)
})

test('active keys are counted, revoked ones not', async () => {
  await using server = await TestServer.start()
  const keys = [await server.newKey('a'), await server.newKey('b'), await server.newKey('c')]
  await server.admin('/admin/revoke_key', { api_key: keys[1] })
  expect((await server.ask(AS_READER)).text).toContain('\nintent_bus_tester_keys_total 2\n')
})

test.each([
  ['the admin token', { 'X-Admin-Token': ADMIN_TOKEN }],
  ['the dashboard password', { Authorization: BASIC }]
])('%s gives access to the metrics, too', async (_name, headers: Record<string, string>) => {
  await using server = await TestServer.start()
  expect((await server.ask({ path: '/metrics', headers })).status).toBe(200)
})

test.each([
  ['nothing', {}],
  ['a wrong bearer', { Authorization: 'Bearer wrong' }],
  ['an empty bearer', { Authorization: 'Bearer ' }],
  ['the admin token as a bearer', { Authorization: `Bearer ${ADMIN_TOKEN}` }],
  ['the metrics token as an admin token', { 'X-Admin-Token': METRICS_TOKEN }],
  ['the metrics token as a password', { Authorization: `Basic ${btoa(`admin:${METRICS_TOKEN}`)}` }]
])('%s gives no access to the metrics', async (_name, headers: Record<string, string>) => {
  await using server = await TestServer.start()
  const answer = await server.ask({ path: '/metrics', headers })
  expect(refusalWithMessage(answer)).toBe('401 unauthorized: Authentication required.')
})

test('an API key gives no access to the metrics', async () => {
  await using server = await TestServer.start()
  expect(refusal(await server.get('/metrics'))).toBe('401 unauthorized')
})

test('what each commit gathers is counted', async () => {
  await using server = await TestServer.start()
  const counts = async (): Promise<number[]> => {
    const { text } = await server.ask(AS_READER)
    return ['commits', 'operations'].map((name) => Number(new RegExp(`^intent_bus_${name}_total (\\d+)$`, 'm').exec(text)![1]))
  }
  const [commitsBefore = NaN, operationsBefore = NaN] = await counts()
  await Promise.all([server.publish(), server.publish(), server.publish()])
  const [commits = NaN, operations = NaN] = await counts()
  expect(operations - operationsBefore).toBe(3)
  expect(commits - commitsBefore).toBeGreaterThanOrEqual(1)
  expect(commits - commitsBefore).toBeLessThanOrEqual(3)
})
