/** Why the stress run cannot go on, as one sentence for the user. */
export class Trouble extends Error {
  override readonly name = 'Trouble'
}
