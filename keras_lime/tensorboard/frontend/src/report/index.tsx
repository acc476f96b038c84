// Entry of the report file: reads the data beside it and draws the page. No request is ever made.
import { render } from "preact";
import { Report } from "./report.tsx";
import style from "./report.css";
import type { ReportData } from "./content.ts";

const sheet = document.createElement("style");
sheet.textContent = style;
document.head.append(sheet);
const data = JSON.parse(document.getElementById("data")?.textContent ?? "") as ReportData;
const home = document.getElementById("report");
if (home !== null) {
  home.replaceChildren();
  render(<Report data={data} />, home);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}
