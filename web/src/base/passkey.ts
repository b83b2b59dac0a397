// WebAuthn: bytes travel as base64url in JSON.
import { post, send } from './api';
import type { Session } from './session';

const toBytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const toText = (bytes: ArrayBuffer | null): string | null =>
  bytes && btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

interface Options {
  publicKey?: Record<string, any>;
}
type Descriptor = { id: string; type: 'public-key' };
const descriptors = (all: Descriptor[] | undefined) => all?.map((each) => ({ ...each, id: toBytes(each.id) }));

export const hasPasskeys = typeof PublicKeyCredential !== 'undefined';

export async function addPasskey(name: string): Promise<void> {
  const sent = await post<Options & Record<string, any>>('/me/passkeys/options');
  const options = sent.publicKey ?? sent;
  const credential = (await navigator.credentials.create({
    publicKey: { ...options, challenge: toBytes(options.challenge), user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: descriptors(options.excludeCredentials) } as unknown as PublicKeyCredentialCreationOptions,
  })) as PublicKeyCredential;
  const answer = credential.response as AuthenticatorAttestationResponse;
  await send('POST', '/me/passkeys', { body: { name, credential: { id: credential.id, rawId: toText(credential.rawId), type: credential.type,
    response: { clientDataJSON: toText(answer.clientDataJSON), attestationObject: toText(answer.attestationObject), transports: answer.getTransports?.() ?? [] } } } });
}

export async function signInByPasskey(): Promise<Session> {
  const sent = await post<Options & Record<string, any>>('/session/passkey/options');
  const options = sent.publicKey ?? sent;
  const credential = (await navigator.credentials.get({
    publicKey: { ...options, challenge: toBytes(options.challenge), allowCredentials: descriptors(options.allowCredentials) } as unknown as PublicKeyCredentialRequestOptions,
  })) as PublicKeyCredential;
  const answer = credential.response as AuthenticatorAssertionResponse;
  return post<Session>('/session/passkey', { assertion: { id: credential.id, rawId: toText(credential.rawId), type: credential.type,
    response: { clientDataJSON: toText(answer.clientDataJSON), authenticatorData: toText(answer.authenticatorData), signature: toText(answer.signature), userHandle: toText(answer.userHandle) } } });
}
