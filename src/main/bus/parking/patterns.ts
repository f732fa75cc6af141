import { PUBLIC_SCOPE, type Routing } from '../store/lanes.ts'

/** A kind of intents that differ in nothing that a claim can ask for. */
export interface Pattern {
  /** Namespace, scope and goal (or any), as one text. */
  readonly bucket: string
  readonly target: string | null
  readonly capability: string | null
}

/** `goal` null: any. Only a goal can hold a newline, so it comes last and names never collide. */
export function bucketName(namespace: string, scope: string, goal: string | null): string {
  return goal === null ? `${namespace}\n${scope}` : `${namespace}\n${scope}\n${goal}`
}

/** The pattern as a key of a map. */
export function patternKey({ bucket, target, capability }: Pattern): string {
  return `${target ?? ''}\n${capability ?? ''}\n${bucket}`
}

/** The patterns that an intent is an example of: one for each way in which claims ask for it. */
export function patternsOf({ namespace, goal, publisher, visibility, targetWorker, requiredCapability }: Routing): Pattern[] {
  const scopes = visibility === 'public' ? [PUBLIC_SCOPE, PUBLIC_SCOPE + publisher] : [publisher]
  return scopes.flatMap((scope) =>
    [goal, null].map((asked) => ({
      bucket: bucketName(namespace, scope, asked),
      target: targetWorker,
      capability: requiredCapability
    }))
  )
}
