// Entry: TensorBoard imports this module into an iframe and calls render().
import { h, render as mount } from "preact";
import { keepFresh } from "./data/refresh.ts";
import { connect } from "./state/selection.ts";
import { shareFonts } from "./state/fonts.ts";
import { followHelpKey } from "./ui/helpKey.ts";
import { followOriginalKey } from "./state/original.ts";
import { followTheme } from "./state/theme.ts";
import base from "./style/base.css";
import layout from "./style/layout.css";
import controls from "./style/controls.css";
import empty from "./style/empty.css";
import overview from "./style/overview.css";
import detail from "./style/detail.css";
import charts from "./style/charts.css";
import compare from "./style/compare.css";
import findings from "./style/findings.css";
import narrow from "./style/narrow.css";
import { App } from "./ui/app.tsx";

export function render(): void {
  const style = document.createElement("style");
  style.textContent = [base, layout, controls, empty, overview, detail, charts, compare, findings, narrow].join("");
  document.head.append(style);
  document.documentElement.lang = "en";
  document.title = "LIME";
  void shareFonts();
  followTheme();
  followOriginalKey();
  followHelpKey();
  connect();
  mount(h(App, null), document.body);
  keepFresh();
}
