// Entry: TensorBoard imports this module into an iframe and calls render().
import { h, render as mount } from "preact";
import { keepFresh } from "./data/refresh.ts";
import { connect } from "./state/app.ts";
import { shareFonts } from "./state/fonts.ts";
import { followTheme } from "./state/theme.ts";
import css from "./style.css";
import { App } from "./ui/app.tsx";

export function render(): void {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  document.documentElement.lang = "en";
  document.title = "LIME";
  void shareFonts();
  followTheme();
  connect();
  mount(h(App, null), document.body);
  keepFresh();
}
