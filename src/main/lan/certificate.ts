// The library needs what this adds to Reflect when it loads.
import 'reflect-metadata'
import { AsnConvert } from '@peculiar/asn1-schema'
import { GeneralName, GeneralSubtree, GeneralSubtrees, id_ce_nameConstraints, NameConstraints } from '@peculiar/asn1-x509'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type JsonGeneralName
} from '@peculiar/x509'
import type { KeyObject } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import { PERMITTED_NETWORKS } from './permitted.ts'

/**
 * X.509 certificates as RFC 5280 has them, of the two kinds that a bus makes; keys are of P-256. Loaded only when one is
 * made: what it stands on is large.
 */

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' } as const
/** No certificate stands between the root and what it signs. */
const PATH_LENGTH = 0
const CRITICAL = true

export interface Validity {
  /** Unix seconds. */
  readonly from: number
  readonly until: number
}

export interface RootOptions extends Validity {
  readonly name: string
  readonly key: KeyObject
  readonly publicKey: KeyObject
  /** Domains that it may sign for, beside private addresses. */
  readonly domains: readonly string[]
}

export interface LeafOptions extends Validity {
  readonly name: string
  readonly publicKey: KeyObject
  /** Host names and addresses. */
  readonly names: readonly string[]
  /** The root's certificate, in PEM, and its private key. */
  readonly root: string
  readonly rootKey: KeyObject
}

/** A root that signs itself, in PEM: good for nothing but signing leaves for private addresses and the domains given. */
export async function makeRoot(options: RootOptions): Promise<string> {
  const subject = commonName(options.name)
  return certificate({ ...options, subject, issuer: subject }, [
    await SubjectKeyIdentifierExtension.create(spkiOf(options.publicKey)),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, CRITICAL),
    new BasicConstraintsExtension(true, PATH_LENGTH, CRITICAL),
    new Extension(id_ce_nameConstraints, CRITICAL, AsnConvert.serialize(permittedOnly(options.domains)))
  ])
}

/** A server's certificate, in PEM. */
export async function makeLeaf(options: LeafOptions): Promise<string> {
  const root = new X509Certificate(options.root)
  return certificate({ ...options, subject: commonName(options.name), issuer: root.subjectName, key: options.rootKey }, [
    await SubjectKeyIdentifierExtension.create(spkiOf(options.publicKey)),
    new AuthorityKeyIdentifierExtension(root.getExtension(SubjectKeyIdentifierExtension)!.keyId),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, CRITICAL),
    new BasicConstraintsExtension(false, undefined, CRITICAL),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(options.names.map(alternativeName))
  ])
}

interface Content extends Validity {
  readonly subject: Name
  readonly issuer: Name
  readonly publicKey: KeyObject
  /** The issuer's, which signs. */
  readonly key: KeyObject
}

/** In PEM, with a random serial number. */
async function certificate({ subject, issuer, publicKey, key, from, until }: Content, extensions: Extension[]): Promise<string> {
  const made = await X509CertificateGenerator.create({
    subject,
    issuer,
    notBefore: new Date(from * 1000),
    notAfter: new Date(until * 1000),
    publicKey: spkiOf(publicKey),
    signingKey: key.toCryptoKey(ECDSA, false, ['sign']),
    extensions
  })
  return `${made.toString('pem')}\n`
}

function spkiOf(publicKey: KeyObject): Uint8Array<ArrayBuffer> {
  return publicKey.export({ type: 'spki', format: 'der' })
}

/** Not from text: what a user calls the bus may hold what separates the parts of one. */
function commonName(name: string): Name {
  return new Name([{ CN: [{ utf8String: name }] }])
}

function alternativeName(name: string): JsonGeneralName {
  if (isIP(name) === 0) return { type: 'dns', value: name }
  // The library reads no address that ends in one of IPv4; the form of URLs never does.
  return { type: 'ip', value: isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name }
}

function permittedOnly(domains: readonly string[]): NameConstraints {
  const networks = PERMITTED_NETWORKS.map(([network, prefix]) => new GeneralName({ iPAddress: `${network}/${prefix}` }))
  const bases = [...networks, ...domains.map((domain) => new GeneralName({ dNSName: domain }))]
  return new NameConstraints({ permittedSubtrees: new GeneralSubtrees(bases.map((base) => new GeneralSubtree({ base }))) })
}
