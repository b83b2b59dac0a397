// Asks the server what is wrong while somebody types; the last question wins.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../base/api';
import type { Found } from './problem';

export interface Verdict {
  ok: boolean;
  problems: Found[];
  services: (string | { name: string })[];
}

export function useVerdict(path: string, body: { files?: Record<string, string>; name?: string }): { verdict: Verdict | null; busy: boolean } {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [busy, setBusy] = useState(false);
  const key = JSON.stringify(body);
  useEffect(() => {
    const texts = Object.values(body.files ?? {});
    if (texts.length > 0 && texts.every((text) => !text.trim())) {
      setVerdict(null);
      return undefined;
    }
    let mine = true;
    setBusy(true);
    const timer = setTimeout(async () => {
      try {
        const said = await post<Verdict>(path, body);
        if (mine) setVerdict(said);
      } catch {
        if (mine) setVerdict(null); // it is asked again with the next letter
      }
      if (mine) setBusy(false);
    }, 350);
    return () => {
      mine = false;
      clearTimeout(timer);
    };
  }, [path, key]);
  return { verdict, busy };
}
