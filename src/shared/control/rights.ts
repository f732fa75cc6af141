/**
 * What an operator may do. `watch`: see intents, workers, counts; `publish`: publish, run and keep templates; `act`: cancel,
 * retry, keep views; `manage`: keys, sharing, settings, secrets, purges. Whoever knows the password, or sits at the app
 * itself, has all of them; a paired browser and a key that may operate never have `manage`.
 */
export const RIGHTS = ['watch', 'publish', 'act', 'manage'] as const
export type Right = (typeof RIGHTS)[number]

/** Those that can be given to a paired device. */
export const GIVEN_RIGHTS = ['watch', 'publish', 'act'] as const satisfies readonly Right[]
export type GivenRight = (typeof GIVEN_RIGHTS)[number]
