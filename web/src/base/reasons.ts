// Why a provider's answer was no sign-in: the server's word in the address, and its sentence. Only these are shown: an
// address could otherwise put any words on a page.
import { query } from './router';

const sentences = new Map([
  ['declined', 'The provider did not let you in: consent was refused there.'],
  ['expired', 'This sign-in is over: it took too long, was ended already, or began in another browser. Begin again.'],
  ['busy', 'The provider was asked too often. Try again in a few minutes.'],
  ['misconfigured', 'The provider does not accept how berth is set up there. Tell an admin: the audit says what to change.'],
  ['nonsense', 'The provider gave an answer that makes no sense. Tell an admin: the audit says more.'],
  ['nobody', 'The provider knows you, but nobody here let you in. Ask an admin; or sign in another way and link it under Settings.'],
  ['taken', 'This identity belongs to another account here. Sign in with it, or ask an admin.'],
  ['unavailable', 'The provider does not answer. Try again, or sign in another way.'],
  ['refused', 'The provider’s answer was not accepted. Begin again; if it stays so, the audit tells an admin why.'],
]);

export const reasonShown = (): string => sentences.get(query.value.get('error') ?? '') ?? '';
