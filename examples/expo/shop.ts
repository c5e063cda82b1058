import AsyncStorage from "@react-native-async-storage/async-storage";
import NetInfo from "@react-native-community/netinfo";
import { createClient } from "evercart";
import { fetch as streamingFetch } from "expo/fetch";
import { AppState } from "react-native";

export const shop = createClient({
  // A phone's own 127.0.0.1 is the phone: name the machine that the shop runs on.
  url: process.env.EXPO_PUBLIC_SHOP_URL ?? "http://10.0.2.2:8080",
  market: "us",
  storage: AsyncStorage,
  // React Native's own fetch does not stream, so that the cart would be asked for every ten seconds.
  fetch: (url, init) => streamingFetch(url, init) as unknown as Promise<Response>,
});

// What waits is sent at once when the network is back or the app comes to the front.
NetInfo.addEventListener(({ isConnected }) => {
  if (isConnected) void shop.sync();
});
AppState.addEventListener("change", (state) => {
  if (state === "active") void shop.sync();
});
