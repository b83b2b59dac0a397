// A component that is drawn again only when a property of it is another one.
import { Component, createElement, type FunctionComponent } from 'preact';

export function memo<P extends object>(inner: FunctionComponent<P>): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now = this.props as Record<string, unknown>;
      return Object.keys(next).some((key) => (next as Record<string, unknown>)[key] !== now[key]);
    }
    override render() {
      return createElement(inner, this.props as P);
    }
  }
  return Memo as unknown as FunctionComponent<P>;
}
