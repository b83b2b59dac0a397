// A component whose code is loaded when it is first shown.
import { createElement, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Outdated } from './parts';

export function lazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let found: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [, again] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (found) return;
      load().then((module) => {
        found = module.default;
        again((n) => n + 1);
      }, () => setFailed(true));
    }, []);
    if (found) return createElement(found, props);
    return failed ? <Outdated />
      : <div class="loading" role="status"><span class="spinner" aria-hidden="true" /> Loading</div>;
  };
}
