// What JSX becomes; the build puts it in front of every module.
export { Fragment, h } from "preact";
